import type { Configuration } from '../config/configuration.js';
import type { HttpDependencies, HttpSettings } from '../http/dependencies.js';
import type { Registrations } from './container.js';
import { builtPages } from './pages.js';
import type { ReloadedAccess } from './reload/reloaded-access.js';

/** The dependencies of the HTTP layer. */
export function httpDependencies(app: Registrations): HttpDependencies {
  const { configuration, access, log } = app;
  return {
    verifyEvidence: app.verifyEvidence,
    releaseKey: app.releaseKey,
    challenges: app.challenges,
    inspectEvidence: app.inspectEvidence,
    heldEndorsements: app.remembered,
    receiptKeys: app.publishedKeys,
    gates: app.gates,
    recordedDecisions: app.recordedDecisions,
    replayDecision: app.replayDecision,
    policyTexts: app.policyTexts,
    evaluatePolicy: app.evaluatePolicy,
    liveness: app.clockWatch.liveness,
    readiness: app.readiness,
    callers: () => access.callers,
    slots: app.slots,
    metrics: app.metrics,
    clock: app.clock,
    log,
    tracer: app.requestTracer,
    pages: builtPages(configuration, log),
    settings: httpSettings(configuration, access),
  };
}

function httpSettings({ limits, deadlineSeconds, listen }: Configuration, { tls }: ReloadedAccess): HttpSettings {
  return {
    bodyBytes: limits.bodyBytes,
    bodyBytesInFlight: limits.bodyBytesInFlight,
    eventLogBytes: limits.eventLogBytes,
    deadlineSeconds,
    trustedProxies: listen.trustedProxies,
    tls,
    hasManagement: listen.management !== null,
  };
}

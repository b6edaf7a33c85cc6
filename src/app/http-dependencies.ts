import type { Configuration } from '../config/configuration.js';
import type { DecisionRecorder, LogStore } from '../core/decision-log.js';
import type { EndorsementSource } from '../core/endorsement.js';
import { RefusedError } from '../core/errors.js';
import type { ProofStore } from '../core/gate.js';
import type { Clock } from '../core/ports.js';
import { ChangedDecisionError } from '../core/recorded-decision.js';
import { NO_TRACER, type RequestTracer } from '../core/traces.js';
import { jwkThumbprint } from '../crypto/jwk-thumbprint.js';
import type { OpenEarlyCollateral } from '../endorsements/intel/open-early-collateral.js';
import type { RememberedEndorsements } from '../endorsements/remembered-endorsements.js';
import type { HttpDependencies, HttpSettings } from '../http/dependencies.js';
import { CHALLENGE_STORE_TIMEOUT_MS, type Challenges } from '../judge/challenges.js';
import type { ClockWatch } from '../judge/clock-watch.js';
import { EarlyCollateralShadow } from '../judge/early-collateral.js';
import type { ReadinessUseCase } from '../judge/health.js';
import { ReleaseKey } from '../judge/release-key.js';
import type { ResetTracking } from '../judge/reset-tracking.js';
import type { Tenants } from '../judge/tenants.js';
import { VerificationSlots } from '../judge/verification-slots.js';
import type { VerifyEvidence } from '../judge/verify-evidence.js';
import { MeasuredWaits, type Waits } from '../judge/waits.js';
import { withinTime } from '../judge/within-time.js';
import { findRecorded } from '../log/find-recorded.js';
import { readableRecordOf } from '../log/record-of.js';
import { Gates } from '../receipts/gates/gates.js';
import { PublishedReceiptKeys } from '../receipts/published-receipt-keys.js';
import type { ReceiptKeys } from '../receipts/receipt-keys.js';
import { Receipts } from '../receipts/receipts.js';
import { ReplayDecision } from '../replay/replay-decision.js';
import type { Metrics } from '../telemetry/metrics.js';
import { EvaluatePolicy } from '../workbench/evaluate-policy.js';
import type { InspectEvidenceUseCase } from '../workbench/inspections.js';
import { PolicyTexts } from '../workbench/policy-texts.js';
import { RecordedDecisions } from '../workbench/recorded-decisions.js';
import { servedLines } from './amd-lines.js';
import type { OpenAttestationServices } from './attestation-services.js';
import { lintFacts } from './commands/policy-sources.js';
import {
  createAppContainer,
  createVerifyEvidence,
  type Override,
  useIntelRootPins,
  useRootPins,
  verifyOptions,
} from './container.js';
import type { EndorsementWorld } from './endorsements.js';
import type { HeldKeys } from './held-keys.js';
import { TOKENS } from './injection-tokens.js';
import { builtPages } from './pages.js';
import type { ReloadedRoots } from './reload/configured-roots.js';
import type { ReloadedAccess } from './reload/reloaded-access.js';
import { type TenantPolicies, tenantsOf } from './reload/tenant-policies.js';
import { FactsKeeper } from './replay/facts.js';
import { JudgeKeptDecisions } from './replay/judge-again.js';

/** Everything that the HTTP layer depends on. */
export interface ServiceParts {
  readonly configuration: Configuration;
  readonly world: Pick<EndorsementWorld, 'log' | 'amdRootPins' | 'intelRootPins'> & {
    readonly override?: Override;
    readonly storeTimeoutMs?: number;
  };
  readonly clock: Clock;
  readonly clockWatch: ClockWatch;
  readonly readiness: ReadinessUseCase;
  readonly metrics: Metrics;
  /** Null: no request is traced. */
  readonly tracer: RequestTracer | null;
  readonly policies: TenantPolicies;
  readonly access: ReloadedAccess;
  readonly challenges: Challenges;
  readonly proofs: ProofStore;
  /** Null: decisions are not stored. */
  readonly decisions: LogStore | null;
  readonly decisionLog: DecisionRecorder | null;
  /** By tenant. */
  readonly resets: ReadonlyMap<string, ResetTracking>;
  readonly endorsements: { readonly source: EndorsementSource };
  /** The endorsements that decisions depended on. */
  readonly remembered: RememberedEndorsements;
  readonly early: OpenEarlyCollateral | null;
  readonly services: OpenAttestationServices;
  readonly roots: ReloadedRoots;
  readonly heldKeys: Pick<HeldKeys, 'keys'>;
  readonly receiptKeys: ReceiptKeys;
  readonly version: string;
  /** Where the service listens; null before the port is open. */
  readonly url: () => string | null;
}

/** The use cases of a service, and how HTTP offers them. */
export function httpDependencies(parts: ServiceParts): HttpDependencies {
  const { configuration, world, clock, metrics, policies, access, challenges } = parts;
  const tracer = parts.tracer ?? NO_TRACER;
  const container = containerOf(parts);
  const slots = new VerificationSlots({}, (seconds) => metrics.stageDone('wait', seconds));
  const waits = new MeasuredWaits(
    (stage, seconds) => metrics.stageDone(stage, seconds),
    (work) => slots.elsewhere(work),
  );
  const verifyEvidence = verifyEvidenceOf(container, waits, parts);
  const recordedDecisions = new RecordedDecisions(recordedIn(parts.decisions));
  const again = new ReplayDecision({
    again: judgeAgainOf(container, waits, parts),
    present: readableRecordOf,
    version: parts.version,
  });
  return {
    verifyEvidence,
    releaseKey: new ReleaseKey({
      keys: parts.heldKeys.keys,
      verifyEvidence,
      recorder: parts.decisionLog,
      waits,
      deadlineMs: configuration.deadlineSeconds * 1000,
      log: world.log,
      tracer,
    }),
    recordedDecisions,
    replayDecision: {
      execute: async (id, at, caller) =>
        again.replay(await slots.elsewhere(() => recordedDecisions.get(id, caller)).catch(notJudgedAgain), at),
    },
    receiptKeys: new PublishedReceiptKeys(parts.receiptKeys, configuration.receipts.issuer),
    gates: gatesOf(parts),
    policyTexts: new PolicyTexts({
      policies: (tenant) => policies.of(tenant).snapshot(),
      ...lintFacts(configuration),
      clock,
    }),
    evaluatePolicy: new EvaluatePolicy({ verifyEvidence, clock, lines: servedLines(configuration) }),
    challenges,
    heldEndorsements: parts.remembered,
    inspectEvidence: container.resolve<InspectEvidenceUseCase>(TOKENS.inspectEvidence),
    liveness: parts.clockWatch.liveness,
    readiness: parts.readiness,
    callers: () => access.callers,
    slots,
    metrics,
    clock,
    log: world.log,
    tracer: parts.tracer,
    pages: builtPages(configuration, world.log),
    settings: httpSettings(configuration, access),
  };
}

/** Null: only digests are kept. */
function keeperOf({ configuration, roots, services, version }: ServiceParts): FactsKeeper | null {
  if (configuration.decisions.keepEvidence !== 'full') return null;
  return new FactsKeeper({ configuration, roots, version, submitted: [...services.services.keys()] });
}

function judgeAgainOf(container: AppContainer, waits: Waits, parts: ServiceParts): JudgeKeptDecisions {
  const { configuration, decisions, clock, roots, world } = parts;
  return new JudgeKeptDecisions({
    // Where decisions are not stored, none is found before anything of it is looked for.
    store: decisions ?? { object: async () => null },
    configuration,
    override: (judging) => overrideOf(judging, world),
    current: { endorsements: sourceOf(container), tenants: tenantsIn(parts), clock, roots, waits },
  });
}

function receiptsOf(parts: ServiceParts): Receipts {
  return new Receipts(parts.receiptKeys, () => {
    const issuer = issuerOf(parts);
    return issuer === null ? null : { issuer, build: parts.version };
  });
}

function gatesOf(parts: ServiceParts): Gates {
  const { configuration, receiptKeys, policies, clockWatch, proofs } = parts;
  const { storeTimeoutMs = CHALLENGE_STORE_TIMEOUT_MS } = parts.world;
  return new Gates({
    gates: configuration.gates,
    keys: receiptKeys,
    issuer: () => issuerOf(parts),
    policies: (tenant) => policies.of(tenant).snapshot(),
    proofs: { use: (gate, proof) => withinTime(proofs.use(gate, proof), storeTimeoutMs) },
    clock: clockWatch,
  });
}

/** `iss` of receipts; null as long as nothing says under which name the service is reached. */
function issuerOf({ configuration, url }: ServiceParts): string | null {
  return configuration.receipts.issuer ?? url();
}

type AppContainer = ReturnType<typeof createAppContainer>;

function containerOf({ configuration, world, endorsements, roots }: ServiceParts): AppContainer {
  const override = overrideOf(configuration, world);
  return createAppContainer(
    configuration,
    (app) => {
      app.register(TOKENS.endorsementSource, { useValue: endorsements.source });
      override(app);
    },
    roots,
  );
}

/** The replacements for tests, and the roots of a lab. */
function overrideOf(configuration: Configuration, world: ServiceParts['world']): Override {
  return (app) => {
    if (world.amdRootPins !== undefined) useRootPins(app, configuration, world.amdRootPins);
    if (world.intelRootPins !== undefined) useIntelRootPins(app, world.intelRootPins);
    world.override?.(app);
  };
}

const sourceOf = (container: AppContainer) => container.resolve<EndorsementSource>(TOKENS.endorsementSource);

function tenantsIn({ configuration, policies, resets }: ServiceParts): Tenants {
  return tenantsOf(configuration, policies, resets);
}

function verifyEvidenceOf(container: AppContainer, waits: Waits, parts: ServiceParts): VerifyEvidence {
  const { configuration, world, clock, clockWatch, challenges, early, services, decisionLog: recorder } = parts;
  const { log } = world;
  const keeper = recorder === null ? null : keeperOf(parts);
  return createVerifyEvidence(
    container,
    {
      endorsements: sourceOf(container),
      remembered: parts.remembered,
      services: services.services,
      tenants: tenantsIn(parts),
      nonces: challenges,
      early: early === null ? null : new EarlyCollateralShadow(early.source, jwkThumbprint, clock, log),
      clock: clockWatch,
      waits,
      log,
      receipts: receiptsOf(parts),
      recorder,
      keep: keeper === null ? null : (judged, facts) => keeper.keep(judged, facts),
      tracer: parts.tracer ?? NO_TRACER,
    },
    verifyOptions(configuration, true),
  );
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

/** Where decisions are stored: those that somebody changed are not shown as what was decided. */
function recordedIn(store: LogStore | null): Pick<LogStore, 'list' | 'find'> | null {
  if (store === null) return null;
  return { list: (query) => store.list(query), find: (decisionId) => findRecorded(store, decisionId) };
}

/** @throws {RefusedError} `evidence_not_kept` where somebody changed what is stored, else as before */
function notJudgedAgain(error: unknown): never {
  if (!(error instanceof ChangedDecisionError)) throw error;
  throw new RefusedError('evidence_not_kept', error.message, { cause: error });
}

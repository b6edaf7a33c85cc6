import type { FastifyInstance } from 'fastify';
import { requestLimits } from '../../wire/read-body.js';
import type { HttpDependencies } from '../dependencies.js';
import { DEFAULT_RATE_LIMITS, gateRate } from '../load-limits.js';
import { openapiRoute } from '../openapi-route.js';
import { decisionRoutes, replayRoute } from './decision-routes.js';
import { endorsementRoute } from './endorsement-route.js';
import { challengesRoute, inspectRoute, verifyRoute } from './evidence-routes.js';
import { gateRoute } from './gate-route.js';
import { operationRoutes } from './operation-routes.js';
import { pageRoutes } from './page-routes.js';
import { evaluateRoute, lintRoute, policiesRoutes } from './policy-routes.js';
import { receiptKeyRoutes } from './receipt-routes.js';
import { releaseRoute } from './release-route.js';

/** Adds every route of the service. Each names in `config.access` who may use it. */
export async function registerRoutes(application: FastifyInstance, dependencies: HttpDependencies): Promise<void> {
  const { verifyEvidence, challenges, inspectEvidence, policyTexts, evaluatePolicy, receiptKeys } = dependencies;
  const { metrics, settings, slots } = dependencies;
  metrics.watchVerifications(() => slots.figures);
  const limits = requestLimits(settings.eventLogBytes);
  const routes = [
    verifyRoute({ verifyEvidence, slots, metrics, limits }),
    releaseRoute({ releaseKey: dependencies.releaseKey, slots, metrics, limits }),
    challengesRoute(challenges),
    inspectRoute(inspectEvidence, limits),
    endorsementRoute(dependencies.heldEndorsements),
    ...receiptKeyRoutes(receiptKeys),
    gateRoute({
      gates: dependencies.gates,
      metrics,
      log: dependencies.log,
      rate: gateRate(application, { ...DEFAULT_RATE_LIMITS, ...settings.rates }),
      bodyBytes: settings.bodyBytes,
    }),
    ...decisionRoutes(dependencies.recordedDecisions),
    replayRoute({ replayDecision: dependencies.replayDecision, slots }),
    ...policiesRoutes(policyTexts),
    lintRoute(policyTexts, slots),
    evaluateRoute({ evaluatePolicy, slots, limits }),
    ...(settings.hasManagement === true ? [] : operationRoutes({ ...dependencies, metricsAccess: 'metrics' })),
    openapiRoute(),
  ];
  for (const route of routes) application.route(route);
  if (dependencies.pages !== undefined) await application.register(pageRoutes(dependencies.pages));
}

import type { FastifyInstance, RouteOptions } from 'fastify';
import type { LivenessUseCase, ReadinessUseCase } from '../../service/clock-watch.js';
import { requestLimits } from '../../wire/read-body.js';
import type { HttpDependencies } from '../dependencies.js';
import { Turns } from '../items-of-batch.js';
import {
  BatchLimit,
  DEFAULT_RATE_LIMITS,
  DEFAULT_SLOTS,
  gateRate,
  itemRate,
  VerificationSlots,
} from '../load-limits.js';
import type { Metrics } from '../metrics.js';
import { batchRoute } from './batch-route.js';
import { decisionRoutes, replayRoute } from './decision-routes.js';
import { challengesRoute, inspectRoute, verifyRoute } from './evidence-routes.js';
import { gateRoute } from './gate-route.js';
import { evaluateRoute, lintRoute, policiesRoutes } from './policy-routes.js';
import { receiptKeyRoutes } from './receipt-routes.js';
import { releaseRoute } from './release-route.js';

/** Every route of the service. Each says in its `config.access` who may use it. */
export async function registerRoutes(application: FastifyInstance, dependencies: HttpDependencies): Promise<void> {
  const { verifyEvidence, issueChallenge, inspectEvidence, policyTexts, evaluatePolicy, receiptKeys } = dependencies;
  const { liveness, readiness, metrics, settings } = dependencies;
  // Loaded where it is served: the document and its page are large, and no other command has a use for them.
  const { docsRoutes, openapiRoute } = await import('./document-routes.js');
  const slots = new VerificationSlots({ ...DEFAULT_SLOTS, ...settings.slots });
  const limits = requestLimits(settings.eventLogBytes);
  const routes = [
    verifyRoute({ verifyEvidence, slots, metrics, limits }),
    batchRoute({
      verifyEvidence,
      slots,
      metrics,
      limits,
      batches: new BatchLimit(),
      turns: new Turns(),
      rate: itemRate(application),
      log: dependencies.log,
      batchBytes: settings.batchBytes,
      bodyBytes: settings.bodyBytes,
    }),
    releaseRoute({ releaseKey: dependencies.releaseKey, slots, metrics, limits }),
    challengesRoute(issueChallenge),
    inspectRoute(inspectEvidence, limits),
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
    livezRoute(liveness),
    readyzRoute(readiness),
    metricsRoute(metrics),
    openapiRoute(),
  ];
  for (const route of routes) application.route(route);
  await application.register(docsRoutes);
}

const RETRY_SECONDS = 5;

/** Load balancers and schedulers ask these two, so load shedding never refuses them. */
const PROBE = {
  method: 'GET',
  config: { access: 'public', rateLimit: false, pressureHandler: () => undefined },
} as const;

/** `GET /livez`: whether the process works, or has to be restarted. */
function livezRoute(liveness: LivenessUseCase): RouteOptions {
  return {
    ...PROBE,
    url: '/livez',
    handler: async (_request, reply) => {
      const { live, problems } = await liveness.execute();
      return live ? reply.send({ live }) : reply.code(503).send({ live, problems });
    },
  };
}

/** `GET /readyz`: whether the service should get traffic, and if not, why. */
function readyzRoute(readiness: ReadinessUseCase): RouteOptions {
  return {
    ...PROBE,
    url: '/readyz',
    handler: async (_request, reply) => {
      const { ready, problems } = await readiness.execute();
      if (!ready) reply.code(503).header('retry-after', RETRY_SECONDS);
      return reply.send({ ready, problems });
    },
  };
}

/** `GET /metrics`: figures in the text format of Prometheus. They are wanted most when there is too much load. */
function metricsRoute(metrics: Metrics): RouteOptions {
  return {
    method: 'GET',
    url: '/metrics',
    config: { access: 'metrics', pressureHandler: () => undefined },
    handler: async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  };
}

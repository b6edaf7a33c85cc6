import type { FastifyInstance } from 'fastify';
import { requestLimits } from '../../wire/request-limits.js';
import type { HttpDependencies } from '../dependencies.js';
import { DEFAULT_SLOTS, VerificationSlots } from '../load-shedding.js';
import { docsRoutes, openapiRoute } from './contract-routes.js';
import { challengesRoute, inspectRoute, verifyRoute } from './evidence-routes.js';
import { livezRoute, metricsRoute, readyzRoute } from './operation-routes.js';

/** Every route of the service. Each says in its `config.access` who may use it. */
export async function registerRoutes(application: FastifyInstance, dependencies: HttpDependencies): Promise<void> {
  const { verifyEvidence, issueChallenge, inspectEvidence, liveness, readiness, metrics, settings } = dependencies;
  const slots = new VerificationSlots({ ...DEFAULT_SLOTS, ...settings.slots });
  const limits = requestLimits(settings.eventLogBytes);
  const routes = [
    verifyRoute({ verifyEvidence, slots, metrics, limits }),
    challengesRoute(issueChallenge),
    inspectRoute(inspectEvidence, limits),
    livezRoute(liveness),
    readyzRoute(readiness),
    metricsRoute(metrics),
    openapiRoute(),
  ];
  for (const route of routes) application.route(route);
  await application.register(docsRoutes);
}

import underPressure from '@fastify/under-pressure';
import type { FastifyInstance } from 'fastify';
import { NO_TRACER } from '../core/traces.js';
import { BodyBudget, readBodiesWithin } from './body-budget.js';
import type { HttpDependencies } from './dependencies.js';
import { routedTarget } from './gate-target.js';
import { DEFAULT_CONNECTION_LIMITS } from './listener.js';
import { DEFAULT_RATE_LIMITS, refuseLate } from './load-limits.js';
import { createPlainApplication, guardRoutes } from './plain-application.js';
import { routeOf } from './request-log.js';
import { traceRequests } from './request-traces.js';
import { takeEveryMethod } from './routes/gate-route.js';
import { registerRoutes } from './routes/route-table.js';

const DEFAULT_EVENT_LOOP_DELAY_MS = 1_000;

const NOTHING_HERE = 'nothing is at this path; GET /docs lists all paths';
const NO_PROBES_HERE = `${NOTHING_HERE}, and /livez, /readyz and /metrics have a listener of their own`;

/** Creates the HTTP service as an application. Opens no port. */
export function createApplication(dependencies: HttpDependencies): FastifyInstance {
  const { settings, metrics } = dependencies;
  const nothingHere = settings.hasManagement === true ? NO_PROBES_HERE : NOTHING_HERE;
  const application = createPlainApplication({
    ...settings,
    log: dependencies.log,
    limits: { ...DEFAULT_CONNECTION_LIMITS, ...settings.connections },
    rewriteUrl: ({ url = '' }) => routedTarget(url),
    nothingHere,
    onAnswered: (request, reply) => {
      metrics.requestAnswered({
        method: request.method,
        route: routeOf(request),
        status: reply.statusCode,
        seconds: reply.elapsedTime / 1000,
      });
    },
  });
  takeEveryMethod(application);
  readBodiesWithin(application, new BodyBudget(settings.bodyBytesInFlight));
  // Load is checked first of all that happens before the body.
  application.register(underPressure, {
    maxEventLoopDelay: settings.eventLoopDelayMs ?? DEFAULT_EVENT_LOOP_DELAY_MS,
    pressureHandler: (_request, _reply, _kind, delayMs) => refuseLate(delayMs),
  });
  const { callers, tracer } = dependencies;
  if (tracer !== null) traceRequests(application, tracer);
  const guard = { callers, nothingHere, tracer: tracer ?? NO_TRACER };
  guardRoutes(application, guard, { ...DEFAULT_RATE_LIMITS, ...settings.rates });
  application.register(async (scope) => registerRoutes(scope, dependencies));
  return application;
}

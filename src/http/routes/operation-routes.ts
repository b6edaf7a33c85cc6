import type { FastifyRequest, RouteOptions } from 'fastify';
import type { HealthProblem } from '../../core/health.js';
import type { LivenessUseCase, ReadinessUseCase } from '../../judge/health.js';
import type { Metrics } from '../../telemetry/metrics.js';
import type { Access } from '../access.js';

export interface OperationParts {
  readonly liveness: LivenessUseCase;
  readonly readiness: ReadinessUseCase;
  /** Metrics in the text format of Prometheus. */
  readonly metrics: Pick<Metrics, 'contentType' | 'text'>;
  /** The access to the metrics. */
  readonly metricsAccess: Access;
}

/** Probes and metrics. */
export function operationRoutes(parts: OperationParts): readonly RouteOptions[] {
  return [livezRoute(parts), readyzRoute(parts), metricsRoute(parts)];
}

const RETRY_SECONDS = 5;

/** Load balancers and schedulers call these two, so load shedding never refuses them. */
const PROBE = {
  method: 'GET',
  config: { access: 'public', looksAtCaller: true, rateLimit: false, pressureHandler: () => undefined },
} as const;

/** `GET /livez`: whether the process works, or needs a restart. */
function livezRoute({ liveness }: OperationParts): RouteOptions {
  return {
    ...PROBE,
    url: '/livez',
    handler: async (request, reply) => {
      const { live, problems } = await liveness.execute();
      return live ? reply.send({ live }) : reply.code(503).send({ live, problems: problemsFor(problems, request) });
    },
  };
}

/** `GET /readyz`: whether the service should get traffic, or the reasons against it. */
function readyzRoute({ readiness }: OperationParts): RouteOptions {
  return {
    ...PROBE,
    url: '/readyz',
    handler: async (request, reply) => {
      const { ready, problems } = await readiness.execute();
      if (!ready) reply.code(503).header('retry-after', RETRY_SECONDS);
      return reply.send({ ready, problems: problemsFor(problems, request) });
    },
  };
}

/** Codes for every client; details only for callers that may read the metrics. */
function problemsFor(problems: readonly HealthProblem[], { caller }: FastifyRequest): readonly object[] {
  if (caller?.roles.has('metrics') === true) return problems;
  return problems.map(({ code }) => ({ code }));
}

/** `GET /metrics`: metrics in the text format of Prometheus. Never refused under load, when operators need them most. */
function metricsRoute({ metrics, metricsAccess }: OperationParts): RouteOptions {
  return {
    method: 'GET',
    url: '/metrics',
    config: { access: metricsAccess, pressureHandler: () => undefined },
    handler: async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  };
}

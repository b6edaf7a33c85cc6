import type { RouteOptions } from 'fastify';
import type { LivenessUseCase, ReadinessUseCase } from '../../service/use-cases.js';
import type { Metrics } from '../metrics.js';

const RETRY_SECONDS = 5;

/** Balancers and schedulers ask these two: no load is too much for them. */
const PROBE = {
  method: 'GET',
  config: { access: 'public', rateLimit: false, pressureHandler: () => undefined },
} as const;

/** `GET /livez`: whether the process is of use, or has to be started again. */
export function livezRoute(liveness: LivenessUseCase): RouteOptions {
  return {
    ...PROBE,
    url: '/livez',
    handler: async (_request, reply) => {
      const { live, problems } = await liveness.execute();
      return live ? reply.send({ live }) : reply.code(503).send({ live, problems });
    },
  };
}

/** `GET /readyz`: whether the service should get traffic, and what stands against it. */
export function readyzRoute(readiness: ReadinessUseCase): RouteOptions {
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
export function metricsRoute(metrics: Metrics): RouteOptions {
  return {
    method: 'GET',
    url: '/metrics',
    config: { access: 'metrics', pressureHandler: () => undefined },
    handler: async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  };
}

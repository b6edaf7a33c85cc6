import type { RouteOptions } from 'fastify';
import type { LivenessUseCase, ReadinessUseCase } from '../../service/use-cases.js';
import type { Metrics } from '../metrics.js';

const RETRY_SECONDS = 5;

/** Load balancers and schedulers ask these two, so load shedding never refuses them. */
const PROBE = {
  method: 'GET',
  config: { access: 'public', rateLimit: false, pressureHandler: () => undefined },
} as const;

/** `GET /livez`: whether the process works, or has to be restarted. */
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

/** `GET /readyz`: whether the service should get traffic, and if not, why. */
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

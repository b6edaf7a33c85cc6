import type { RouteOptions } from 'fastify';
import type { ReadinessUseCase } from '../../service/use-cases.js';

const RETRY_SECONDS = 5;

/** `GET /readyz`: whether the service should get traffic, and what stands against it. */
export function readyzRoute(readiness: ReadinessUseCase): RouteOptions {
  return {
    method: 'GET',
    url: '/readyz',
    config: { access: 'public', rateLimit: false, pressureHandler: () => undefined },
    handler: async (_request, reply) => {
      const { ready, problems } = await readiness.execute();
      if (!ready) reply.code(503).header('retry-after', RETRY_SECONDS);
      return reply.send({ ready, problems });
    },
  };
}

import type { RouteOptions } from 'fastify';
import type { LivenessUseCase } from '../../service/use-cases.js';

/** `GET /livez`: whether the process is of use, or has to be started again. No load is too much for it. */
export function livezRoute(liveness: LivenessUseCase): RouteOptions {
  return {
    method: 'GET',
    url: '/livez',
    config: { access: 'public', rateLimit: false, pressureHandler: () => undefined },
    handler: async (_request, reply) => {
      const { live, problems } = await liveness.execute();
      return live ? reply.send({ live }) : reply.code(503).send({ live, problems });
    },
  };
}

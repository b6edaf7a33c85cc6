import type { RouteOptions } from 'fastify';

/** `GET /livez`: the process answers. Nothing else is looked at, and no load is too much for it. */
export function livezRoute(): RouteOptions {
  return {
    method: 'GET',
    url: '/livez',
    config: { access: 'public', rateLimit: false, pressureHandler: () => undefined },
    handler: (_request, reply) => reply.send({ live: true }),
  };
}

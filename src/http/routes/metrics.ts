import type { RouteOptions } from 'fastify';
import type { Metrics } from '../metrics.js';

/** `GET /metrics`: figures in the text format of Prometheus. They are wanted most when there is too much load. */
export function metricsRoute(metrics: Metrics): RouteOptions {
  return {
    method: 'GET',
    url: '/metrics',
    config: { access: 'metrics', pressureHandler: () => undefined },
    handler: async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  };
}

import type { RouteOptions } from 'fastify';
import type { InspectEvidenceUseCase } from '../../service/use-cases.js';
import { readInspectRequest } from '../../wire/read-inspect-request.js';
import type { RequestLimits } from '../../wire/request-limits.js';
import { JSON_TYPE } from '../media-types.js';
import { bodyOf, requireJsonBody } from '../request-body.js';

/** `POST /inspect`: what evidence says, field by field. Nothing is verified. */
export function inspectRoute(inspectEvidence: InspectEvidenceUseCase, limits: RequestLimits): RouteOptions {
  return {
    method: 'POST',
    url: '/inspect',
    config: { access: 'verify' },
    onRequest: (request, _reply, done) => {
      requireJsonBody(request);
      done();
    },
    handler: async (request, reply) => {
      const inspection = inspectEvidence.execute(readInspectRequest(bodyOf(request), limits));
      return reply.type(JSON_TYPE).send(JSON.stringify(inspection));
    },
  };
}

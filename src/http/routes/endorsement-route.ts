import type { RouteOptions } from 'fastify';
import type { HeldEndorsementsUseCase } from '../../judge/held-endorsements.js';
import { presentEndorsement } from '../../wire/present-endorsements.js';
import { readDigest } from '../../wire/read-query.js';
import { callerOf } from '../access.js';
import { requireNoParameters } from '../queries.js';

/** `GET /endorsements/{sha256}`: an endorsement of the service's own, by the digest that decisions list. */
export function endorsementRoute(endorsements: HeldEndorsementsUseCase): RouteOptions {
  return {
    method: 'GET',
    config: { access: 'verify' },
    url: '/endorsements/:sha256',
    onRequest: (request, _reply, done) => {
      requireNoParameters(request);
      done();
    },
    handler: async (request, reply) => {
      const { sha256 } = request.params as { readonly sha256: string };
      const held = await endorsements.get(readDigest(sha256, '/sha256'), callerOf(request));
      return reply.send(presentEndorsement(held));
    },
  };
}

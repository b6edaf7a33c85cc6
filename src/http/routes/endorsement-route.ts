import type { RouteOptions } from 'fastify';
import type { HeldEndorsement } from '../../core/endorsement.js';
import { RefusedError } from '../../core/errors.js';
import { presentEndorsement } from '../../wire/present-endorsements.js';
import { readDigest } from '../../wire/read-query.js';
import { callerOf } from '../access.js';
import { requireNoParameters } from '../queries.js';

/** Endorsements of the service's own that it judged evidence of a tenant by. */
export interface HeldEndorsements {
  /** Null, whether another tenant has it, a request brought it, or nobody knows it. @param sha256 lower-case hex */
  find(tenant: string, sha256: string): HeldEndorsement | null;
}

const NOT_HELD =
  'no endorsement with this digest is in memory: those of requests are never kept, others until newer ones need the room';

/** `GET /endorsements/{sha256}`: an endorsement of the service's own, by the digest that decisions list. */
export function endorsementRoute(endorsements: HeldEndorsements): RouteOptions {
  return {
    method: 'GET',
    config: { access: 'verify' },
    url: '/endorsements/:sha256',
    onRequest: async (request) => requireNoParameters(request),
    handler: async (request, reply) => {
      const { sha256 } = request.params as { readonly sha256: string };
      const held = endorsements.find(callerOf(request).tenant, readDigest(sha256, '/sha256'));
      if (held === null) throw new RefusedError('not_found', NOT_HELD);
      return reply.send(presentEndorsement(held));
    },
  };
}

import type { RouteOptions } from 'fastify';
import type { HeldEndorsement } from '../../core/endorsement.js';
import { RefusedError } from '../../core/errors.js';
import { presentEndorsement } from '../../wire/present-endorsements.js';
import { readDigest } from '../../wire/read-query.js';
import { callerOf } from '../access.js';
import { requireNoParameters } from '../queries.js';

/** Endorsements from the service that evidence of a tenant was verified with. */
export interface HeldEndorsements {
  /** Null if another tenant used it, a request supplied it, or it is unknown. @param sha256 lower-case hex */
  find(tenant: string, sha256: string): HeldEndorsement | null;
}

const NOT_HELD =
  'no endorsement with this digest is in memory: those of requests are never kept, others until newer ones need the room';

/** `GET /endorsements/{sha256}`: an endorsement from the service, by the digest in decisions. */
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

import type { RouteOptions } from 'fastify';
import type { ReleaseKeyUseCase } from '../../judge/release-key.js';
import type { VerificationSlots } from '../../judge/verification-slots.js';
import type { Metrics } from '../../telemetry/metrics.js';
import { presentDecision } from '../../wire/present-decision.js';
import type { RequestLimits } from '../../wire/read-body.js';
import { readReleaseQuery } from '../../wire/read-query.js';
import { readReleaseRequest } from '../../wire/read-release-request.js';
import { callerOf } from '../access.js';
import { sayDecision } from '../decision-status.js';
import { bodyOf, JSON_CALL, JSON_TYPE, requireJsonBody } from '../json-bodies.js';
import { queryOf } from '../queries.js';

interface ReleaseRouteDependencies {
  readonly releaseKey: ReleaseKeyUseCase;
  readonly slots: VerificationSlots;
  readonly metrics: Metrics;
  readonly limits: RequestLimits;
}

/** `POST /keys/{keyId}/release`: verifies evidence, and returns decision and key. It takes the slot of a verification. */
export function releaseRoute({ releaseKey, slots, metrics, limits }: ReleaseRouteDependencies): RouteOptions {
  return {
    ...JSON_CALL,
    config: { ...JSON_CALL.config, access: 'release' },
    url: '/keys/:keyId/release',
    onRequest: async (request) => {
      requireJsonBody(request);
      slots.requireRoom(request.sharer);
    },
    handler: async (request, reply) => {
      const { keyId } = request.params as { readonly keyId: string };
      const { dryRun, ...query } = readReleaseQuery(queryOf(request));
      const caller = callerOf(request);
      const { kind, policy, anyMachine } = releaseKey.wanted(keyId, caller);
      const { decision, release, state } = await slots.run(request.sharer, (slot) => {
        const asked = readReleaseRequest(bodyOf(request), { keyId, kind, policy, anyMachine, dryRun }, limits);
        return releaseKey.execute(asked, caller, slot);
      });
      request.decision = decision;
      request.release = { keyId, dryRun, state };
      metrics.decided(decision, caller.tenant);
      metrics.keyAsked(keyId, state);
      sayDecision(decision, reply, query);
      const answer = { ...presentDecision(decision, { ...query, policies: caller.policies }), release };
      return reply.type(JSON_TYPE).send(JSON.stringify(answer));
    },
  };
}

import type { RouteOptions } from 'fastify';
import type { VerificationSlots } from '../../judge/verification-slots.js';
import type { ReplayDecisionUseCase } from '../../replay/replay-decision.js';
import { presentFoundDecision, presentRecordedDecision } from '../../wire/present-recorded-decision.js';
import { readDecisionsQuery } from '../../wire/read-query.js';
import { readReplayRequest } from '../../wire/read-requests.js';
import type { RecordedDecisionsUseCase } from '../../workbench/recorded-decisions.js';
import { callerOf } from '../access.js';
import { bodyOf, JSON_CALL, JSON_TYPE } from '../json-bodies.js';
import { queryOf, requireNoParameters } from '../queries.js';

const AUDIT_CALL = { method: 'GET', config: { access: 'audit:read' } } as const;

/** The form of the parameter ends it before a colon: a call follows the colon, which is no part of an id. */
const ONE_DECISION = '/decisions/:id([^:/]+)';

interface ReplayRouteDependencies {
  readonly replayDecision: ReplayDecisionUseCase;
  readonly slots: VerificationSlots;
}

/** `POST /decisions/{id}:replay`: verifies a recorded decision again. It takes the slot of a verification. */
export function replayRoute({ replayDecision, slots }: ReplayRouteDependencies): RouteOptions {
  return {
    ...JSON_CALL,
    config: { ...JSON_CALL.config, access: 'audit:read' },
    // A colon begins a parameter; two colons stand for one.
    url: `${ONE_DECISION}::replay`,
    handler: async (request, reply) => {
      const { id } = request.params as { readonly id: string };
      const { at } = readReplayRequest(bodyOf(request));
      const replay = await slots.run(request.sharer, (slot) => replayDecision.execute(id, at, callerOf(request), slot));
      return reply.type(JSON_TYPE).send(JSON.stringify(replay));
    },
  };
}

/** `GET /decisions` and `GET /decisions/{id}`: recorded decisions. */
export function decisionRoutes(recordedDecisions: RecordedDecisionsUseCase): readonly RouteOptions[] {
  return [
    {
      ...AUDIT_CALL,
      url: '/decisions',
      handler: async (request, reply) => {
        const filter = readDecisionsQuery(queryOf(request));
        const { decisions, next } = await recordedDecisions.list(filter, callerOf(request));
        const shown = decisions.map(presentFoundDecision).filter((each) => each !== null);
        return reply.send({ decisions: shown, next });
      },
    },
    {
      ...AUDIT_CALL,
      url: ONE_DECISION,
      onRequest: async (request) => requireNoParameters(request),
      handler: async (request, reply) => {
        const { id } = request.params as { readonly id: string };
        const recorded = await recordedDecisions.get(id, callerOf(request));
        return reply.type(JSON_TYPE).send(JSON.stringify(presentRecordedDecision(recorded)));
      },
    },
  ];
}

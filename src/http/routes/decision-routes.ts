import type { RouteOptions } from 'fastify';
import type { RecordedDecisionsUseCase } from '../../service/recorded-decisions.js';
import { presentFoundDecision, presentRecordedDecision } from '../../wire/present-recorded-decision.js';
import { readDecisionsQuery } from '../../wire/read-query.js';
import { callerOf } from '../access.js';
import { JSON_TYPE } from '../json-bodies.js';
import { queryOf, requireNoParameters } from '../queries.js';

const AUDIT_CALL = { method: 'GET', config: { access: 'audit:read' } } as const;

/** `GET /decisions` and `GET /decisions/{id}`: what was decided. */
export function decisionRoutes(recordedDecisions: RecordedDecisionsUseCase): readonly RouteOptions[] {
  return [
    {
      ...AUDIT_CALL,
      url: '/decisions',
      handler: async (request, reply) => {
        const filter = readDecisionsQuery(queryOf(request));
        const { decisions, next } = await recordedDecisions.list(filter, callerOf(request));
        return reply.send({ decisions: decisions.map(presentFoundDecision), next });
      },
    },
    {
      ...AUDIT_CALL,
      url: '/decisions/:id',
      onRequest: (request, _reply, done) => {
        requireNoParameters(request);
        done();
      },
      handler: async (request, reply) => {
        const { id } = request.params as { readonly id: string };
        const recorded = await recordedDecisions.get(id, callerOf(request));
        return reply.type(JSON_TYPE).send(JSON.stringify(presentRecordedDecision(recorded)));
      },
    },
  ];
}

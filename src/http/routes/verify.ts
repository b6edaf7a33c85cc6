import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { Decision } from '../../model/decision.js';
import { RefusedError } from '../../model/errors.js';
import type { VerifyEvidenceUseCase } from '../../service/use-cases.js';
import { presentDecision } from '../../wire/present-decision.js';
import { PROBLEM_MEDIA_TYPE } from '../../wire/problem.js';
import { readVerifyQuery } from '../../wire/read-verify-query.js';
import { readVerifyRequest } from '../../wire/read-verify-request.js';
import type { RequestLimits } from '../../wire/request-limits.js';
import { callerOf } from '../access.js';
import { JSON_TYPE, RECEIPT_TYPE } from '../media-types.js';
import type { Metrics } from '../metrics.js';
import { bodyOf, requireJsonBody } from '../request-body.js';
import { queryOf } from '../request-query.js';
import type { VerificationSlots } from '../verification-slots.js';

/** Seconds after which an indeterminate decision may be asked for again, where nothing said when. */
const RETRY_SECONDS = 5;

interface VerifyRouteDependencies {
  readonly verifyEvidence: VerifyEvidenceUseCase;
  readonly slots: VerificationSlots;
  readonly metrics: Metrics;
  readonly limits: RequestLimits;
}

/** `POST /verify`: evidence in, decision out. */
export function verifyRoute(dependencies: VerifyRouteDependencies): RouteOptions {
  const { verifyEvidence, slots, metrics, limits } = dependencies;
  return {
    method: 'POST',
    url: '/verify',
    config: { access: 'verify' },
    onRequest: (request, _reply, done) => {
      requireJsonBody(request);
      requireJsonAnswer(request);
      done();
    },
    handler: async (request, reply) => {
      const query = readVerifyQuery(queryOf(request.url));
      const decision = await slots.run(async () =>
        verifyEvidence.execute(readVerifyRequest(bodyOf(request), limits), callerOf(request)),
      );
      request.decision = decision;
      metrics.decided(decision);
      if (query.enforce) enforce(decision, reply);
      else if (decision.decision === 'indeterminate' && decision.retryable) askAgain(decision, reply);
      const presented = presentDecision(decision, query);
      return reply.type(JSON_TYPE).send(JSON.stringify(presented));
    },
  };
}

/**
 * Whoever wants the receipt alone and nothing else gets no decision that could be taken for one: receipts are not
 * issued. It is refused before anything is judged, so that no challenge is spent.
 */
function requireJsonAnswer(request: FastifyRequest): void {
  const types = (request.headers.accept ?? '')
    .toLowerCase()
    .split(',')
    .map((range) => range.split(';', 1)[0]?.trim());
  if (types.includes(RECEIPT_TYPE) && types.every((type) => type === RECEIPT_TYPE || type === PROBLEM_MEDIA_TYPE)) {
    throw new RefusedError('not_acceptable', 'this version issues no receipts: accept application/json');
  }
}

/** Says the decision by the status, for clients that look at nothing else. A historical allow releases nothing. */
function enforce(decision: Decision, reply: FastifyReply): void {
  if (decision.decision === 'deny' || decision.historical) reply.code(403);
  else if (decision.decision !== 'allow') askAgain(decision, reply.code(503));
}

function askAgain({ retryAfterSeconds }: Decision, reply: FastifyReply): void {
  reply.header('retry-after', retryAfterSeconds ?? RETRY_SECONDS);
}

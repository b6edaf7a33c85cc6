import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { Decision } from '../../model/decision.js';
import { RefusedError } from '../../model/errors.js';
import type { IssueChallengeUseCase } from '../../service/challenges.js';
import type { InspectEvidenceUseCase } from '../../service/inspections.js';
import type { VerifyEvidenceUseCase } from '../../service/verify-evidence.js';
import { presentDecision } from '../../wire/present-decision.js';
import { PROBLEM_MEDIA_TYPE } from '../../wire/problem.js';
import type { RequestLimits } from '../../wire/read-body.js';
import { readVerifyQuery } from '../../wire/read-query.js';
import { readChallengeRequest, readInspectRequest, readVerifyRequest } from '../../wire/read-requests.js';
import { callerOf } from '../access.js';
import { bodyOf, JSON_CALL, JSON_TYPE, requireJsonBody } from '../json-bodies.js';
import type { VerificationSlots } from '../load-limits.js';
import type { Metrics } from '../metrics.js';
import { queryOf } from '../queries.js';

/** Seconds after which an indeterminate decision may be asked for again, where nothing said when. */
const RETRY_SECONDS = 5;

/** Of a receipt alone: EAT over JWT (RFC 9782). */
const RECEIPT_TYPE = 'application/eat+jwt';

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
    ...JSON_CALL,
    url: '/verify',
    onRequest: (request, _reply, done) => {
      requireJsonBody(request);
      requireJsonAnswer(request);
      done();
    },
    handler: async (request, reply) => {
      const query = readVerifyQuery(queryOf(request));
      const caller = callerOf(request);
      const decision = await slots.run(() =>
        verifyEvidence.execute(readVerifyRequest(bodyOf(request), limits), caller),
      );
      request.decision = decision;
      metrics.decided(decision);
      if (query.enforce) enforce(decision, reply);
      else if (decision.decision === 'indeterminate' && decision.retryable) askAgain(decision, reply);
      // As bytes: of a text the framework and node would each work out its length, and join it with the headers.
      const answer = Buffer.from(JSON.stringify(presentDecision(decision, { ...query, policies: caller.policies })));
      return reply.type(JSON_TYPE).send(answer);
    },
  };
}

/** `POST /challenges`: a nonce that this service accepts once. */
export function challengesRoute(issueChallenge: IssueChallengeUseCase): RouteOptions {
  return {
    ...JSON_CALL,
    url: '/challenges',
    handler: async (request, reply) => {
      const { nonce, expiresAt } = await issueChallenge.execute(
        readChallengeRequest(bodyOf(request)),
        callerOf(request),
      );
      return reply.send({ nonce: Buffer.from(nonce).toString('base64url'), expiresAt: expiresAt.toISOString() });
    },
  };
}

/** `POST /inspect`: what evidence says, field by field. Nothing is verified. */
export function inspectRoute(inspectEvidence: InspectEvidenceUseCase, limits: RequestLimits): RouteOptions {
  return {
    ...JSON_CALL,
    url: '/inspect',
    handler: async (request, reply) => {
      const inspection = inspectEvidence.execute(readInspectRequest(bodyOf(request), limits));
      return reply.type(JSON_TYPE).send(JSON.stringify(inspection));
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

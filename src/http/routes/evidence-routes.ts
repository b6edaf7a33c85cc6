import type { FastifyRequest, RouteOptions } from 'fastify';
import type { Decision } from '../../core/decision.js';
import { RefusedError } from '../../core/errors.js';
import { EAR_PROFILE } from '../../core/receipt.js';
import type { VerifyRequest } from '../../core/request.js';
import type { Challenges } from '../../judge/challenges.js';
import type { VerificationSlots } from '../../judge/verification-slots.js';
import type { VerifyEvidenceUseCase } from '../../judge/verify-evidence.js';
import type { Metrics } from '../../telemetry/metrics.js';
import { presentDecision } from '../../wire/present-decision.js';
import { PROBLEM_MEDIA_TYPE } from '../../wire/problem.js';
import type { RequestLimits } from '../../wire/read-body.js';
import { readVerifyQuery } from '../../wire/read-query.js';
import { readChallengeRequest, readInspectRequest, readVerifyRequest } from '../../wire/read-requests.js';
import type { InspectEvidenceUseCase } from '../../workbench/inspections.js';
import { callerOf } from '../access.js';
import { sayDecision } from '../decision-status.js';
import { acceptedTypes, bodyOf, JSON_CALL, JSON_TYPE, requireJsonBody } from '../json-bodies.js';
import { queryOf } from '../queries.js';

/** Media type of a receipt as the whole answer: EAT over JWT (RFC 9782). */
const RECEIPT_TYPE = 'application/eat+jwt';
const RECEIPT_MEDIA_TYPE = `${RECEIPT_TYPE}; eat_profile="${EAR_PROFILE}"`;

interface VerifyRouteDependencies {
  readonly verifyEvidence: VerifyEvidenceUseCase;
  readonly slots: VerificationSlots;
  readonly metrics: Metrics;
  readonly limits: RequestLimits;
}

/** `POST /verify`: verifies evidence and returns a decision. */
export function verifyRoute(dependencies: VerifyRouteDependencies): RouteOptions {
  const { verifyEvidence, slots, metrics, limits } = dependencies;
  return {
    ...JSON_CALL,
    url: '/verify',
    onRequest: async (request) => {
      requireJsonBody(request);
      slots.requireRoom(request.sharer);
    },
    handler: async (request, reply) => {
      const query = readVerifyQuery(queryOf(request));
      const caller = callerOf(request);
      const receiptAlone = wantsReceipt(request);
      const decision = await slots.run(request.sharer, (slot) => {
        const body = bodyOf(request);
        const asked = { ...readVerifyRequest(body, limits), body };
        if (receiptAlone) requireReceiptPossible(asked);
        request.audience = asked.audience;
        return verifyEvidence.execute(asked, caller, slot);
      });
      request.decision = decision;
      metrics.decided(decision, caller.tenant);
      sayDecision(decision, reply, query);
      if (receiptAlone) return reply.type(RECEIPT_MEDIA_TYPE).send(receiptOf(decision));
      // Bytes: for a string, the framework and Node would each compute its length and join it with the headers.
      const answer = Buffer.from(JSON.stringify(presentDecision(decision, { ...query, policies: caller.policies })));
      return reply.type(JSON_TYPE).send(answer);
    },
  };
}

/** `POST /challenges`: issues a nonce that this service accepts once. */
export function challengesRoute(challenges: Pick<Challenges, 'issue'>): RouteOptions {
  return {
    ...JSON_CALL,
    url: '/challenges',
    handler: async (request, reply) => {
      const { nonce, expiresAt } = await challenges.issue(readChallengeRequest(bodyOf(request)), callerOf(request));
      return reply.send({ nonce: Buffer.from(nonce).toString('base64url'), expiresAt: expiresAt.toISOString() });
    },
  };
}

/** `POST /inspect`: shows evidence field by field. Verifies nothing. */
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

/** Whether the client accepts only the receipt, and no decision as JSON. */
function wantsReceipt(request: FastifyRequest): boolean {
  const types = acceptedTypes(request);
  return types.includes(RECEIPT_TYPE) && types.every((type) => type === RECEIPT_TYPE || type === PROBLEM_MEDIA_TYPE);
}

/** Runs before verification, so that no challenge is used up if no receipt can be issued. */
function requireReceiptPossible({ audience, at }: VerifyRequest): void {
  if (audience === null) {
    throw new RefusedError(
      'not_acceptable',
      'a receipt needs an audience: name the relying party in the member audience',
    );
  }
  if (at !== null) throw new RefusedError('not_acceptable', 'a decision at a past verification time has no receipt');
}

/** Returns the receipt as the whole answer. @throws {RefusedError} `not_acceptable` if the decision has none */
function receiptOf({ receipt, decision, decisionId, reasons }: Decision): string {
  if (receipt !== null) return receipt;
  const because = reasons.length === 0 ? '' : ` (${reasons.join(', ')})`;
  throw new RefusedError('not_acceptable', `the decision ${decisionId}, ${decision}${because}, has no receipt`);
}

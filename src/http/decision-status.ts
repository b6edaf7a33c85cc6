import type { FastifyReply } from 'fastify';
import type { Decision } from '../core/decision.js';

/** Seconds after which an indeterminate decision may be asked for again, where nothing said when. */
const RETRY_SECONDS = 5;

/**
 * Status and headers of an answer that has a decision. A client that looks at nothing else has the decision said by the status:
 * a historical allow releases nothing.
 */
export function sayDecision(decision: Decision, reply: FastifyReply, { enforce }: { readonly enforce: boolean }): void {
  const { decision: outcome, historical, retryable } = decision;
  if (!enforce) {
    if (outcome === 'indeterminate' && retryable) askAgain(decision, reply);
  } else if (outcome === 'deny' || historical) {
    reply.code(403);
  } else if (outcome !== 'allow') {
    askAgain(decision, reply.code(503));
  }
}

function askAgain({ retryAfterSeconds }: Decision, reply: FastifyReply): void {
  reply.header('retry-after', retryAfterSeconds ?? RETRY_SECONDS);
}

import type { FastifyReply } from 'fastify';
import type { Decision } from '../core/decision.js';

/** Seconds until the client may retry after an indeterminate decision, if no source named a time. */
const RETRY_SECONDS = 5;

/**
 * Sets status and headers of an answer with a decision, for clients that ignore the body:
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

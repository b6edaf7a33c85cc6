import type { FastifyReply, FastifyRequest } from 'fastify';
import { FormatError, RefusedError } from '../model/errors.js';
import type { Log } from '../model/ports.js';
import { PROBLEM_MEDIA_TYPE, presentProblem } from '../wire/problem.js';
import { discardBody, MEDIA_TYPE_WANTED } from './request-body.js';

interface ErrorAnswering {
  readonly log: Log;
  readonly settings: { readonly bodyBytes: number };
}

/** Answers every error of a request with a problem document. What only the operator may know goes to the log. */
export function answerError(
  { log, settings }: ErrorAnswering,
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const error = ownError(thrown, settings.bodyBytes);
  const { status, retryAfterSeconds, document } = presentProblem(error, request.id);
  if (status === 500) log.error({ requestId: request.id, err: error }, 'request failed');
  if (retryAfterSeconds !== null) reply.header('retry-after', retryAfterSeconds);
  request.problemCode = document.code;
  if (!request.raw.complete) {
    // The framework closes the connection of a body that it stopped reading, and the answer can get lost with it.
    reply.removeHeader('connection');
    discardBody(request.raw, 2 * settings.bodyBytes);
  }
  reply.code(status).type(PROBLEM_MEDIA_TYPE).send(JSON.stringify(document));
}

/** The framework's refusals in our own words. Everything else stays what it is, and becomes a 500. */
function ownError(thrown: unknown, bodyBytes: number): unknown {
  const code = typeof thrown === 'object' && thrown !== null && 'code' in thrown ? thrown.code : undefined;
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new RefusedError('body_too_large', `the body is over ${bodyBytes} bytes (limits.bodyBytes)`, {
        cause: thrown,
      });
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new RefusedError('unsupported_media_type', MEDIA_TYPE_WANTED, { cause: thrown });
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
    case 'ECONNRESET':
      return new FormatError('schema', 'the body is not as long as was said', { cause: thrown });
    default:
      return thrown;
  }
}

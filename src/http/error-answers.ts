import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { FormatError, RefusedError } from '../core/errors.js';
import type { Log } from '../core/ports.js';
import { PROBLEM_MEDIA_TYPE, presentProblem } from '../wire/problem.js';
import { discardBody, hasAnswer, MEDIA_TYPE_WANTED } from './json-bodies.js';

/** Answers every error of a request with a problem document. Details for the operator go to the log. */
export function answerError(
  { log }: { readonly log: Log },
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const { bodyLimit } = request.routeOptions;
  const error = ownError(thrown, bodyLimit);
  const { status, retryAfterSeconds, document } = presentProblem(error, request.id);
  if (status === 500) log.error({ requestId: request.id, err: error }, 'request failed');
  if (retryAfterSeconds !== null) reply.header('retry-after', retryAfterSeconds);
  // Each detail of `overloaded` is a text of the service. Without it, the log would not name the full resource.
  const why = document.code === 'overloaded' ? { why: document.detail } : {};
  request.problem = { code: document.code, pointer: document.pointer ?? null, ...why };
  if (!request.raw.complete) {
    // The framework closes the connection of an unfinished body, which can lose the answer.
    reply.removeHeader('connection');
    discardBody(request.raw, 2 * bodyLimit);
  }
  reply.code(status).type(PROBLEM_MEDIA_TYPE).send(JSON.stringify(document));
}

/** Translates the framework's refusals to errors of this service. Other errors stay, and become a 500. */
function ownError(thrown: unknown, bodyLimit: number): unknown {
  const code = typeof thrown === 'object' && thrown !== null && 'code' in thrown ? thrown.code : undefined;
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new RefusedError('body_too_large', `the body is over ${bodyLimit} bytes (limits.bodyBytes)`, {
        cause: thrown,
      });
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new RefusedError('unsupported_media_type', MEDIA_TYPE_WANTED, { cause: thrown });
    default:
      return thrown;
  }
}

/** An error of the HTTP parser, with Node's code. */
export interface SocketError {
  readonly code?: string | undefined;
}

/** Answers bytes that are not a request: too slow, too large, or not HTTP. Then closes the connection. */
export function answerSocketError(log: Log, error: SocketError, socket: Socket): void {
  log.debug({ code: error.code ?? null }, 'connection refused');
  if (error.code === 'ECONNRESET' || !socket.writable || hasAnswer(socket)) {
    socket.destroy();
    return;
  }
  socket.write(answerTo(error.code));
  socket.destroySoon();
}

function answerTo(code: string | undefined): string {
  const { status, document } = presentProblem(frameworkRefusal(code), null);
  // This service has no code with status 408, which clients can handle.
  const told = code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : status;
  const body = JSON.stringify({ ...document, status: told });
  return [
    `HTTP/1.1 ${told} ${STATUS_CODES[told]}`,
    `content-type: ${PROBLEM_MEDIA_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    'x-content-type-options: nosniff',
    'connection: close',
    '',
    body,
  ].join('\r\n');
}

function frameworkRefusal(code: string | undefined): FormatError | RefusedError {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new FormatError('schema', 'the request did not arrive in time');
    case 'HPE_HEADER_OVERFLOW':
      return new RefusedError('headers_too_large', 'the headers are too large');
    case 'HPE_INVALID_METHOD':
      return new RefusedError('method_not_allowed', 'this method is not served here');
    default:
      return new FormatError('schema', 'the request is not HTTP/1.1');
  }
}

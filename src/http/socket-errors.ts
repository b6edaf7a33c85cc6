import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { FormatError, RefusedError } from '../model/errors.js';
import type { Log } from '../model/ports.js';
import { PROBLEM_MEDIA_TYPE, presentProblem } from '../wire/problem.js';
import { hasAnswer } from './request-body.js';

/** An error of the HTTP parser, by node's code. */
export interface SocketError {
  readonly code?: string | undefined;
}

/** Answers bytes that never became a request: too slow, too large, or not HTTP. The connection ends with it. */
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
  const { status, document } = presentProblem(refusalOf(code), null);
  // No code of ours has the status 408, and clients know what to do about it.
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

function refusalOf(code: string | undefined): FormatError | RefusedError {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new FormatError('schema', 'the request did not arrive in time');
    case 'HPE_HEADER_OVERFLOW':
      return new RefusedError('headers_too_large', 'the headers are too large');
    case 'HPE_INVALID_METHOD':
      return new RefusedError('method_not_allowed', 'this method is not served here');
    default:
      return new FormatError('schema', 'the request is not http/1.1');
  }
}

import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RefusedError } from '../core/errors.js';
import { requireNoParameters } from './queries.js';

/** Media type of every answer in JSON, except problem documents. */
export const JSON_TYPE = 'application/json; charset=utf-8';

export const MEDIA_TYPE_WANTED = 'the body must be JSON, sent with content-type: application/json';

/** JSON with another character set. */
const OTHER_CHARSET = /^application\/json *; *charset=(?!utf-8)[^;]+$/i;
const CHARSET_WANTED =
  'the body must be UTF-8: send content-type: application/json with charset=utf-8, or without charset';

const JSON_MEDIA_TYPE = /^application\/json(?: *; *charset=utf-8)?$/i;

/**
 * Rejects anything but plain JSON, before a byte of the body is read. The header is compared as a whole: the framework's own parser
 * has accepted variants (`application/json` followed by a tab, or by garbage).
 *
 * @throws {RefusedError} `unsupported_media_type`
 */
export function requireJsonBody(request: FastifyRequest): void {
  const { headers } = request.raw;
  const { 'content-type': mediaType = '' } = headers;
  if (!JSON_MEDIA_TYPE.test(mediaType)) {
    const wanted = OTHER_CHARSET.test(mediaType) ? CHARSET_WANTED : MEDIA_TYPE_WANTED;
    throw new RefusedError('unsupported_media_type', wanted);
  }
  const { 'content-encoding': encoding = 'identity', 'transfer-encoding': transfer = 'chunked' } = headers;
  if (encoding.toLowerCase() !== 'identity' || transfer.toLowerCase() !== 'chunked') {
    throw new RefusedError(
      'unsupported_media_type',
      'the body must not be compressed: send it without content-encoding',
    );
  }
}

/** Options of calls with a JSON body for the role `verify`. A call with query parameters reads them itself. */
export const JSON_CALL = {
  method: 'POST',
  config: { access: 'verify' },
  onRequest: (request: FastifyRequest, _reply: FastifyReply, done: () => void): void => {
    requireJsonBody(request);
    requireNoParameters(request);
    done();
  },
} as const;

/** Returns the body. Anything but JSON was rejected before. */
export function bodyOf(request: FastifyRequest): Uint8Array {
  const { body } = request;
  return body instanceof Uint8Array ? body : new Uint8Array(0);
}

/** The media types that a client accepts, in lower case and without parameters. */
export function acceptedTypes({ headers }: Pick<FastifyRequest, 'headers'>): readonly string[] {
  const ranges = (headers.accept ?? '').toLowerCase().split(',');
  return ranges.map((range) => range.split(';', 1)[0]?.trim() ?? '');
}

/** Sockets whose request was answered before its whole body arrived. */
const answered = new WeakSet<Socket>();

/** Whether the unfinished request on a socket was answered already, so that it must not get a second answer. */
export function hasAnswer(socket: Socket): boolean {
  return answered.has(socket);
}

/**
 * Drops the rest of a refused client's body, so that the client reads its answer instead of a reset connection.
 * Waits for no more than `limitBytes`.
 */
export function discardBody(request: IncomingMessage, limitBytes: number): void {
  const { socket } = request;
  let discarded = 0;
  answered.add(socket);
  request.on('end', () => answered.delete(socket));
  request.on('data', (chunk: Uint8Array) => {
    discarded += chunk.byteLength;
    if (discarded > limitBytes) socket.destroy();
  });
}

import type { IncomingMessage } from 'node:http';
import type { Writable } from 'node:stream';
import { errorCodes, type FastifyInstance, type FastifyRequest } from 'fastify';
import { FormatError, RefusedError } from '../core/errors.js';
import { SERVICE } from '../core/fair-queue.js';

/** Bytes that are reserved at a time for a body of unknown length. */
const STEP_BYTES = 64 * 1024;

/** Bounds the memory for the bodies of all requests, and of one principal. */
export class BodyBudget {
  readonly #bytes: number;
  readonly #held = new Map<string, number>();
  #all = 0;

  /** @param bytes for all bodies; one principal may use a third of them if callers are configured */
  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  /** @throws {RefusedError} `overloaded` */
  take(sharer: string, bytes: number): void {
    const own = this.#ownOf(sharer) + bytes;
    const share = sharer === SERVICE ? this.#bytes : this.#bytes / 3;
    if (own > share || this.#all + bytes > this.#bytes) {
      throw new RefusedError('overloaded', 'too many bytes of bodies are held', { retryAfterSeconds: 1 });
    }
    this.#all += bytes;
    this.#held.set(sharer, own);
  }

  giveBack(sharer: string, bytes: number): void {
    this.#all -= bytes;
    const own = this.#ownOf(sharer) - bytes;
    if (own === 0) this.#held.delete(sharer);
    else this.#held.set(sharer, own);
  }

  #ownOf(sharer: string): number {
    return this.#held.get(sharer) ?? 0;
  }
}

/**
 * Bytes that are reserved for the body of one request. Their release needs two conditions. The request was answered, or its client
 * has disconnected. Its handler, which may still need the body, has ended.
 */
class HeldBody {
  readonly #budget: BodyBudget;
  readonly #sharer: string;
  #bytes = 0;
  #isClosed = false;
  #hasEnded = false;

  /**
   * @param ends streams, one of which emits `close` once the request was answered or its client has left. An answer that waits behind
   *   another on its connection does not, so the connection is one of them.
   */
  constructor(budget: BodyBudget, sharer: string, ends: readonly Writable[]) {
    this.#budget = budget;
    this.#sharer = sharer;
    const close = () => {
      for (const end of ends) end.off('close', close);
      this.#isClosed = true;
      this.#giveBack();
    };
    for (const end of ends) end.once('close', close);
    if (ends.some(({ destroyed }) => destroyed)) close();
  }

  /** @throws {RefusedError} `overloaded` */
  take(bytes: number): void {
    this.#budget.take(this.#sharer, bytes);
    this.#bytes += bytes;
  }

  /** Notes that the handler of the request has ended. */
  end(): void {
    this.#hasEnded = true;
    this.#giveBack();
  }

  #giveBack(): void {
    if (!this.#isClosed || !this.#hasEnded) return;
    this.#budget.giveBack(this.#sharer, this.#bytes);
    this.#bytes = 0;
  }
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Null if the body is not read. */
    heldBody: HeldBody | null;
  }
}

/** Reads JSON bodies as bytes, within a budget. A body beyond it is refused before it is read. */
export function readBodiesWithin(application: FastifyInstance, budget: BodyBudget): void {
  application.decorateRequest('heldBody', null);
  application.addHook('preParsing', (request, reply, _payload, done) => {
    const { raw } = request;
    const hasBody = raw.headers['content-length'] !== undefined || raw.headers['transfer-encoding'] !== undefined;
    if (hasBody) {
      // Many requests may arrive over one connection before the first is answered.
      raw.socket.setMaxListeners(0);
      request.heldBody = new HeldBody(budget, request.sharer, [reply.raw, raw.socket]);
    }
    done();
  });
  application.addHook('onSend', (request, _reply, _payload, done) => {
    request.heldBody?.end();
    done();
  });
  // The framework's own JSON parser accepts duplicate members and drops others. So src/wire parses bodies.
  application.removeAllContentTypeParsers();
  application.addContentTypeParser('application/json', receiveBody);
}

/** @throws {Error} if the body is too long or beyond the budget, or its connection ends */
async function receiveBody(request: FastifyRequest, payload: IncomingMessage): Promise<Buffer> {
  const { bodyLimit } = request.routeOptions;
  const declared = request.headers['content-length'];
  if (Number(declared) > bodyLimit) throw new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE();
  const body = new ReceivedBody(request.heldBody, declared === undefined ? null : Number(declared));
  return new Promise((resolve, reject) => {
    const receive = (chunk: Uint8Array) => {
      try {
        if (body.length + chunk.byteLength > bodyLimit) throw new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE();
        body.append(chunk);
      } catch (error) {
        stop(error);
      }
    };
    // Once the body has arrived or failed: a listener keeps the received bytes, and `leave` creates an error with a stack trace.
    const detach = () => payload.off('data', receive).off('end', end).off('close', leave);
    const end = () => {
      detach();
      resolve(body.bytes);
    };
    const stop = (error: unknown) => {
      detach();
      reject(error);
    };
    const leave = () => stop(new FormatError('schema', 'the body does not have the length that content-length states'));
    payload.on('data', receive).once('end', end).once('close', leave);
    // The client has disconnected already.
    if (payload.destroyed) leave();
  });
}

/** Copies the bytes of a body: a chunk of the connection may be one byte, and costs a hundred. */
class ReceivedBody {
  readonly #held: HeldBody | null;
  readonly #blocks: Buffer[] = [];
  /** Free bytes at the end of the last block. */
  #free = 0;
  length = 0;

  /** @param declared the declared length; null if unknown @throws {RefusedError} `overloaded` */
  constructor(held: HeldBody | null, declared: number | null) {
    this.#held = held;
    if (declared !== null) this.#grow(declared);
  }

  /** @throws {RefusedError} `overloaded` */
  append(chunk: Uint8Array): void {
    for (let rest = chunk; rest.byteLength > 0; ) {
      if (this.#free === 0) this.#grow(STEP_BYTES);
      const block = this.#blocks.at(-1) as Buffer;
      const part = rest.subarray(0, this.#free);
      block.set(part, block.byteLength - this.#free);
      this.#free -= part.byteLength;
      this.length += part.byteLength;
      rest = rest.subarray(part.byteLength);
    }
  }

  get bytes(): Buffer {
    const [first, ...others] = this.#blocks;
    return first !== undefined && others.length === 0
      ? first.subarray(0, this.length)
      : Buffer.concat(this.#blocks, this.length);
  }

  #grow(bytes: number): void {
    this.#held?.take(bytes);
    this.#blocks.push(Buffer.allocUnsafeSlow(bytes));
    this.#free = bytes;
  }
}

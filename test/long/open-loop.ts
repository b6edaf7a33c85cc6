import { connect, type Socket } from 'node:net';

/** What came of one request. */
export type RawOutcome = RawAnswer | RawFailure;

/** No answer, or not the whole of one. */
export interface RawFailure {
  /** Code of the system's error. */
  readonly error: string;
  /** Whether an answer had begun. */
  readonly begun: boolean;
}

export interface RawAnswer {
  readonly status: number;
  /** Lines of the head. */
  readonly head: string;
  readonly body: string;
}

/** A request to /verify as it goes over a connection. */
export function rawRequest(body: string): Buffer {
  const lines = ['POST /verify HTTP/1.1', 'Host: localhost', 'Content-Type: application/json'];
  return Buffer.from([...lines, `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n'));
}

/** One connection, and one request at a time over it. Does as little as it can: it has to be faster than the service. */
class Lane {
  readonly #socket: Socket;
  #parts: Buffer[] = [];
  #answered: ((outcome: RawOutcome) => void) | null = null;
  #error = 'closed';

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1').setNoDelay(true);
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#error = error.code ?? error.message;
    });
    this.#socket.on('close', () => this.#end({ error: this.#error, begun: this.#parts.length > 0 }));
    this.#socket.on('data', (part) => this.#take(part));
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  send(request: Buffer): Promise<RawOutcome> {
    return new Promise((resolve) => {
      this.#answered = resolve;
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(part: Buffer): void {
    this.#parts.push(part);
    const text = this.#parts.length === 1 ? part : Buffer.concat(this.#parts);
    const headEnd = text.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const head = text.toString('latin1', 0, headEnd);
    const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1]);
    if (text.length < headEnd + 4 + length) return;
    this.#parts = [];
    // Before anybody may send again over this one.
    if (/^connection: close$/im.test(head)) this.#socket.destroy();
    const body = text.toString('utf8', headEnd + 4, headEnd + 4 + length);
    this.#end({ status: Number(head.slice(9, 12)), head, body });
  }

  #end(outcome: RawOutcome): void {
    const answered = this.#answered;
    this.#answered = null;
    answered?.(outcome);
  }
}

export interface LoadOptions {
  readonly port: number;
  /** Connections that are open at most. What would need one more is not sent, and counted. */
  readonly lanes: number;
  /** The next request, and what to do with its outcome. */
  readonly next: () => { readonly request: Buffer; readonly ended: (outcome: RawOutcome, ms: number) => void };
}

const TICK_MS = 5;

/** Sends requests over as many connections as it takes. */
export class Load {
  /** Requests that were due, and for which no connection was left. */
  notSent = 0;
  sent = 0;
  readonly #options: LoadOptions;
  readonly #idle: Lane[] = [];
  #open = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  /** So many at a time, each as soon as one before has ended, until it is told to stop. */
  async inTurns(atOnce: number, isOver: () => boolean): Promise<void> {
    const inTurn = async () => {
      while (!isOver()) await this.#sendOne();
    };
    await Promise.all(Array.from({ length: atOnce }, inTurn));
  }

  /** So many a second, whatever becomes of those before, until it is told to stop. Waits for all that was sent. */
  async atRate(perSecond: number, isOver: () => boolean): Promise<void> {
    const under: Set<Promise<void>> = new Set();
    const begun = performance.now();
    let due = 0;
    while (!isOver()) {
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
      const target = ((performance.now() - begun) / 1000) * perSecond;
      for (; due < target; due++) {
        if (this.#idle.length === 0 && this.#open >= this.#options.lanes) {
          this.notSent += 1;
          continue;
        }
        const sending = this.#sendOne().finally(() => under.delete(sending));
        under.add(sending);
      }
    }
    await Promise.all(under);
  }

  close(): void {
    for (const lane of this.#idle.splice(0)) lane.close();
  }

  async #sendOne(): Promise<void> {
    const { request, ended } = this.#options.next();
    const lane = this.#lane();
    this.sent += 1;
    const begun = performance.now();
    const outcome = await lane.send(request);
    ended(outcome, performance.now() - begun);
    if (lane.isOpen) this.#idle.push(lane);
    else this.#open -= 1;
  }

  #lane(): Lane {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (idle.isOpen) return idle;
      this.#open -= 1;
    }
    this.#open += 1;
    return new Lane(this.#options.port);
  }
}

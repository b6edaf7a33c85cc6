import { connect, type Socket } from 'node:net';

/** The result of one request. */
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

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#error = error.code ?? error.message;
    });
    this.#socket.on('close', () => this.#end({ error: this.#error, begun: this.#parts.length > 0 }));
    this.#socket.on('data', (part) => this.#take(part));
  }

  /** @returns null if nobody takes the connection */
  static open(port: number): Promise<Lane | null> {
    const socket = connect(port, '127.0.0.1').setNoDelay(true);
    return new Promise((resolve) => {
      socket.once('error', () => resolve(null));
      socket.once('connect', () => resolve(new Lane(socket)));
    });
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
  /** Connections that are held open. What would need one more is not sent, and counted. */
  readonly lanes: number;
  /** The next request, and what to do with its outcome. */
  readonly next: () => { readonly request: Buffer; readonly ended: (outcome: RawOutcome, ms: number) => void };
}

const TICK_MS = 5;
/** Connections that are being made at a time: fewer than the queue of a listening port holds, so that none of them has to be tried again. */
const CONNECTS = 64;

/** Sends requests over connections that are there before: what a request takes is the service's time, and not that of connecting. */
export class Load {
  /** Requests that were due, and for which no connection was left. */
  notSent = 0;
  sent = 0;
  readonly #options: LoadOptions;
  readonly #idle: Lane[] = [];
  /** Connections that are open or being made. */
  #held = 0;
  #connecting = 0;

  private constructor(options: LoadOptions) {
    this.#options = options;
  }

  /** Resolves once all connections are there. @throws {Error} if the service does not take them */
  static async open(options: LoadOptions): Promise<Load> {
    const load = new Load(options);
    while (load.#idle.length < options.lanes) {
      const before = load.#idle.length;
      await Promise.all(load.#replenish());
      if (load.#idle.length === before) throw new Error('the service takes no connection');
    }
    return load;
  }

  /** On each connection a request as soon as the one before has ended, until it is told to stop. */
  async inTurns(isOver: () => boolean): Promise<void> {
    const inTurn = async (lane: Lane) => {
      while (!isOver() && lane.isOpen) await this.#send(lane);
    };
    await Promise.all(this.#idle.map(inTurn));
  }

  /** So many a second, whatever becomes of those before, until it is told to stop. Waits for all that was sent. */
  async atRate(perSecond: number, isOver: () => boolean): Promise<void> {
    const under: Set<Promise<void>> = new Set();
    const begun = performance.now();
    let due = 0;
    while (!isOver()) {
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
      this.#replenish();
      const target = ((performance.now() - begun) / 1000) * perSecond;
      for (; due < target; due++) {
        const lane = this.#free();
        if (lane === undefined) {
          this.notSent += 1;
          continue;
        }
        const sending = this.#send(lane).finally(() => {
          under.delete(sending);
          if (lane.isOpen) this.#idle.push(lane);
          else this.#held -= 1;
        });
        under.add(sending);
      }
    }
    await Promise.all(under);
  }

  close(): void {
    for (const lane of this.#idle.splice(0)) lane.close();
  }

  async #send(lane: Lane): Promise<void> {
    const { request, ended } = this.#options.next();
    this.sent += 1;
    const begun = performance.now();
    const outcome = await lane.send(request);
    ended(outcome, performance.now() - begun);
  }

  #free(): Lane | undefined {
    for (let lane = this.#idle.pop(); lane !== undefined; lane = this.#idle.pop()) {
      if (lane.isOpen) return lane;
      this.#held -= 1;
    }
    return undefined;
  }

  /** Makes connections in the place of those that have ended. */
  #replenish(): readonly Promise<void>[] {
    const making: Promise<void>[] = [];
    for (; this.#held < this.#options.lanes && this.#connecting < CONNECTS; this.#held++) making.push(this.#connect());
    return making;
  }

  async #connect(): Promise<void> {
    this.#connecting += 1;
    const lane = await Lane.open(this.#options.port);
    this.#connecting -= 1;
    if (lane === null) this.#held -= 1;
    else this.#idle.push(lane);
  }
}

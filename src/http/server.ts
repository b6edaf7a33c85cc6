import type { Server } from 'node:http';
import { setTimeout as sleep, setImmediate as turnOfEventLoop } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { type ReadinessUseCase, STOPPING } from '../judge/health.js';
import { createApplication } from './application.js';
import type { BoundPort } from './bound-port.js';
import { Connections } from './connections.js';
import type { HttpDependencies } from './dependencies.js';
import { endSessions, exchangeTls, type TlsMaterial } from './listener.js';

export interface ListenOptions {
  readonly host: string;
  /** The port; 0 picks a free one. */
  readonly port: number;
  readonly stop?: Partial<StopLimits>;
  /** The port, if it is already open. Undefined: `startServer` opens it. */
  readonly bound?: BoundPort | undefined;
}

/** How a server stops. Milliseconds. */
export interface StopLimits {
  /** How long requests are still accepted after readiness ended, so that balancers notice and clients move on. */
  readonly noticeMs: number;
  /** How long accepted requests may run after that. */
  readonly drainMs: number;
}

/** Longest wait of answers for a moment without new connections, and the length of that moment. */
const ACCEPT_MS = 2_000;
const QUIET_MS = 20;

/** How long bytes on an accepted connection may take to become a request. */
const SETTLE_MS = 100;

const DEFAULT_STOP: StopLimits = { noticeMs: 500, drainMs: 15_000 };

export interface RunningServer {
  /** Its address, with the actual port. */
  readonly url: string;
  /** Whether it should get traffic: not after the signal to stop. */
  readonly readiness: ReadinessUseCase;
  /**
   * Takes other TLS material for connections from now on.
   * @throws {Error} if it cannot be used, or if TLS or a client CA would be added or removed; then nothing has changed
   */
  exchangeTls(tls: TlsMaterial): void;
  /** Closes every connection, at once or after the running answer, and ends all TLS sessions. */
  endConnections(): void;
  /**
   * Ends readiness, answers accepted requests, each as the last of its connection, then closes the sockets.
   * Bounded. Every call returns the same promise.
   */
  close(): Promise<void>;
}

/** Answers requests at the port. Prints nothing. */
export async function startServer(dependencies: HttpDependencies, listen: ListenOptions): Promise<RunningServer> {
  const requests = new OpenRequests();
  const readiness: ReadinessUseCase = {
    execute: async () => (requests.stopping ? STOPPING : dependencies.readiness.execute()),
  };
  const application = createApplication({ ...dependencies, readiness });
  requests.watch(application);
  const connections = new Connections();
  connections.watch(application);
  try {
    if (listen.bound === undefined) await application.listen({ host: listen.host, port: listen.port });
    else {
      await application.ready();
      await listen.bound.handOver(application.server);
    }
  } catch (error) {
    await application.close();
    throw error;
  }
  let closed: Promise<void> | null = null;
  return {
    url: urlOf(application, dependencies.settings.tls !== null),
    readiness,
    exchangeTls: (tls) => exchangeTls(application.server, tls),
    endConnections: () => {
      endSessions(application.server);
      connections.endAll();
    },
    close: () => {
      closed ??= stop(application, requests, { ...DEFAULT_STOP, ...listen.stop });
      return closed;
    },
  };
}

/** The URL of a listening application. */
export function urlOf(application: FastifyInstance, tls: boolean): string {
  const address = application.server.address();
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port');
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `${tls ? 'https' : 'http'}://${host}:${address.port}`;
}

async function stop(application: FastifyInstance, requests: OpenRequests, limits: StopLimits): Promise<void> {
  const { server } = application;
  requests.stopping = true;
  await within(limits.noticeMs, new Promise(() => {}));
  // Each answer makes its client connect again, so that a busy service would find no moment to close its port.
  const release = requests.holdAnswers();
  await within(ACCEPT_MS, noneToAccept(server, requests));
  const unbound = new Promise<void>((resolve) => server.close(() => resolve()));
  release();
  await within(limits.drainMs, Promise.race([requests.none(), unbound]));
  // These connections sent no complete request, or were not answered in time.
  server.closeAllConnections();
  await unbound;
  await application.close();
}

/**
 * Waits until every connected client was accepted: the system resets connections that it still queues when the
 * port closes. A leaving client counts as a connection, since it may connect again.
 */
async function noneToAccept(server: Server, requests: OpenRequests): Promise<void> {
  let connections = 0;
  const count = () => {
    connections += 1;
  };
  server.on('connection', count);
  let before: number;
  do {
    before = connections + requests.answered;
    await sleep(QUIET_MS, undefined, { ref: false });
    // Connections that arrived while the event loop was busy are accepted in its next turn.
    await turnOfEventLoop();
    await turnOfEventLoop();
  } while (connections + requests.answered > before && server.listening);
  server.off('connection', count);
}

/** Waits for work, at most for the given time. */
async function within(milliseconds: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const end = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([work, end]);
  clearTimeout(timer);
}

/** Accepted requests without an answer. `answered` counts requests that were answered, or whose client left. */
class OpenRequests {
  stopping = false;
  answered = 0;
  #open = 0;
  #begun = 0;
  /** The pause before answers are sent. */
  #held: Promise<void> | null = null;
  #waiting: (() => void) | null = null;

  /** Counts requests, and makes each answer of a stopping service the last of its connection. */
  watch(application: FastifyInstance): void {
    const left = () => this.#left();
    application.addHook('onRequest', (_request, reply, done) => {
      this.#open += 1;
      this.#begun += 1;
      // Not `onResponse`: it does not run if the client disconnects.
      reply.raw.once('close', left);
      done();
    });
    application.addHook('onSend', (_request, reply, _payload, done) => {
      if (this.stopping) reply.header('connection', 'close');
      if (this.#held === null) done();
      else void this.#held.then(() => done());
    });
  }

  /** Delays answers from now on. @returns a function that releases them */
  holdAnswers(): () => void {
    let release = () => {};
    this.#held = new Promise((resolve) => {
      release = resolve;
    });
    return () => release();
  }

  /** Resolves once no request is open, and none has begun lately: bytes on a connection may not be parsed yet. */
  async none(): Promise<void> {
    let begun: number;
    do {
      begun = this.#begun;
      await this.#noneOpen();
      // The caller has a timer that keeps the process alive. This timer must not do so after the caller stops waiting.
      await sleep(SETTLE_MS, undefined, { ref: false });
    } while (this.#open > 0 || this.#begun > begun);
  }

  #noneOpen(): Promise<void> {
    if (this.#open === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  #left(): void {
    this.#open -= 1;
    this.answered += 1;
    if (this.#open === 0) this.#waiting?.();
  }
}

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
  /** 0 picks a free one. */
  readonly port: number;
  readonly stop?: Partial<StopLimits>;
  /** The port, if it is open already. Undefined: it is opened here. */
  readonly bound?: BoundPort | undefined;
}

/** How a server stops. Milliseconds. */
export interface StopLimits {
  /** How long requests are still accepted after readiness has gone, so that balancers see it and clients move on. */
  readonly noticeMs: number;
  /** How long accepted requests may take after that. */
  readonly drainMs: number;
}

/** How long answers wait at most for a moment in which nobody connects, and how long that moment has to be. */
const ACCEPT_MS = 2_000;
const QUIET_MS = 20;

/** How long what was sent over an accepted connection may take to be read as a request. */
const SETTLE_MS = 100;

const DEFAULT_STOP: StopLimits = { noticeMs: 500, drainMs: 15_000 };

export interface RunningServer {
  /** Where it listens, with the port that was picked. */
  readonly url: string;
  /** Whether it should get traffic: not after the signal to stop. */
  readonly readiness: ReadinessUseCase;
  /**
   * Takes other TLS material for connections from now on.
   * @throws {Error} where it cannot be used, or one has TLS or a client CA and the other has not; nothing has changed then
   */
  exchangeTls(tls: TlsMaterial): void;
  /** Ends every connection, at once or with the answer under way, and all TLS sessions. */
  endConnections(): void;
  /**
   * Readiness goes first; accepted requests are answered, each as the last of its connection; then the sockets close.
   * Bounded, and the same promise however often it is called.
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

/** Where an application listens. */
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
  // An answer makes its client connect again, so that a busy service would find no moment to close its port.
  const release = requests.holdAnswers();
  await within(ACCEPT_MS, noneToAccept(server, requests));
  const unbound = new Promise<void>((resolve) => server.close(() => resolve()));
  release();
  await within(limits.drainMs, Promise.race([requests.none(), unbound]));
  // These connections have sent no whole request, or were not answered in time.
  server.closeAllConnections();
  await unbound;
  await application.close();
}

/**
 * Waits until everybody who has connected was accepted: connections that the system still queues are reset with the
 * port, whatever they have sent. A client that leaves is as good as a connection, since it may connect again.
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

/** Waits for work, but no longer than the time given. */
async function within(milliseconds: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const end = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([work, end]);
  clearTimeout(timer);
}

/** Requests that were accepted and are not answered yet. `answered` counts those that are, or whose client went away. */
class OpenRequests {
  stopping = false;
  answered = 0;
  #open = 0;
  #begun = 0;
  /** The pause that answers wait for. */
  #held: Promise<void> | null = null;
  #waiting: (() => void) | null = null;

  /** Counts, and makes each answer of a stopping service the last of its connection. */
  watch(application: FastifyInstance): void {
    const left = () => this.#left();
    application.addHook('onRequest', (_request, reply, done) => {
      this.#open += 1;
      this.#begun += 1;
      // Not `onResponse`: it does not run where the client goes away.
      reply.raw.once('close', left);
      done();
    });
    application.addHook('onSend', (_request, reply, _payload, done) => {
      if (this.stopping) reply.header('connection', 'close');
      if (this.#held === null) done();
      else void this.#held.then(() => done());
    });
  }

  /** Answers wait from now on. @returns lets them go */
  holdAnswers(): () => void {
    let release = () => {};
    this.#held = new Promise((resolve) => {
      release = resolve;
    });
    return () => release();
  }

  /** Resolves once no request is open, and none has begun lately: what came over a connection may not be read yet. */
  async none(): Promise<void> {
    let begun: number;
    do {
      begun = this.#begun;
      await this.#noneOpen();
      // Whoever waits has a timer that keeps the process; nothing is left of this one where he does not wait any longer.
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

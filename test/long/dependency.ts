import type { LookupFunction } from 'node:net';
import type { RunningService } from '../../src/app/service.js';
import { type Answer, call, post } from '../integration/http/exchange.js';
import { labLookup } from '../integration/lab-lookup.js';
import { MovableClock } from '../integration/service/lab-service.js';
import type { LabServer } from '../lab/lab-server.js';
import type { Fault } from './expected-outcomes.js';
import { FullBacklog } from './full-backlog.js';
import type { Timed, Timing } from './timing.js';

/** The state of a service when its dependency fails: cached objects, and their age. */
export interface Holding {
  /** As in the rows of the table. */
  readonly label: string;
  /** How long what it got while all was well has been there once the fault is on; 0 for nothing, or for what is never held. */
  readonly ageMs: number;
}

/** The result of one request: the decision with its reasons, or status and code. */
export interface Asked extends Timed {
  readonly outcome: string;
}

/** A dependency that fails as it is told, and services that depend on it and on nothing else that fails. */
export interface Dependency {
  /** In the order in which a service comes to them: each begins where the one before has recovered. */
  readonly holdings: readonly Holding[];
  /** How long the dependency may want to be left alone after a fault. */
  readonly restMs: number;
  /** Whether the service takes traffic while it fails. */
  readonly isReadyMeanwhile: boolean;
  /** Starts a service that holds nothing, on a clock of its own. */
  start(): Promise<void>;
  ask(timing: Timing): Promise<Asked>;
  /** Statuses of `/livez` and `/readyz`. */
  health(): Promise<readonly [live: number, ready: number]>;
  /** @param ageMs how much time passes for the service before it is asked */
  fail(fault: Fault, ageMs: number): Promise<void>;
  /** Lets time go by for the service. */
  advance(milliseconds: number): void;
  /** Ends the fault. What the dependency says is of today again. */
  mend(): Promise<void>;
  /** Ends the service. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

const RETRY_AFTER_SECONDS = 30;

/** A dependency that speaks HTTP: a server of the lab, whose answers on some paths fail. */
export abstract class HttpDependency implements Dependency {
  abstract readonly holdings: readonly Holding[];
  /** The longest that is remembered of an answer: that of a 404, or that an issuer was asked. */
  readonly restMs: number = 11 * 60_000;
  /** A vendor that is out of reach is no reason to keep requests away that need nothing of it. */
  readonly isReadyMeanwhile = true;
  protected clock = new MovableClock();
  /** Resolves every name to this machine, but for that of the dependency where that is the fault. */
  protected readonly lookup: LookupFunction = (name, options, done) =>
    labLookup(() => this.#resolves || name !== this.#host)(name, options, done);
  readonly #server: LabServer;
  readonly #on: RegExp;
  readonly #host: string;
  #resolves = true;
  #askedAt = new Date();
  #backlog: FullBacklog | null = null;
  #service: RunningService | null = null;

  /**
   * @param on paths on which answers fail
   * @param host by which the service knows it
   */
  protected constructor(server: LabServer, on: RegExp, host = 'localhost') {
    this.#server = server;
    this.#on = on;
    this.#host = host;
  }

  abstract ask(timing: Timing): Promise<Asked>;
  abstract stop(): Promise<void>;
  abstract close(): Promise<void>;
  /** Starts a service on the clock and the names of this dependency. */
  protected abstract open(): Promise<RunningService>;
  /** Serves what is right today. */
  protected abstract serve(): void;
  /** Serves what was right once. */
  protected abstract serveStale(): void;
  /** Serves what will be right a day after it is asked for. */
  protected abstract serveEarly(askedAt: Date): void;

  async start(): Promise<void> {
    this.clock = new MovableClock();
    this.serve();
    this.#service = await this.open();
  }

  health(): Promise<readonly [live: number, ready: number]> {
    return healthOf(this.service);
  }

  protected get service(): RunningService {
    return running(this.#service);
  }

  advance(milliseconds: number): void {
    this.clock.advance(milliseconds);
  }

  async fail(fault: Fault, ageMs: number): Promise<void> {
    this.#askedAt = new Date(this.clock.now().getTime() + ageMs);
    await PLAYS[fault](this);
  }

  async mend(): Promise<void> {
    await this.#backlog?.close();
    this.#backlog = null;
    this.#resolves = true;
    await this.#server.heal();
    this.serve();
  }

  /** Connections that are there need neither a name nor an attempt. */
  async #cut(): Promise<void> {
    await this.#server.connect('refused');
  }

  static readonly plays = {
    unresolved: async (dependency: HttpDependency) => {
      await dependency.#cut();
      await dependency.#server.connect('up');
      dependency.#resolves = false;
    },
    unconnected: async (dependency: HttpDependency) => {
      await dependency.#cut();
      dependency.#backlog = await FullBacklog.open(dependency.#server.port);
    },
    stranger: (dependency: HttpDependency) => dependency.#server.connect('tls'),
    answer: (fault: Parameters<LabServer['fail']>[1]) => (dependency: HttpDependency) =>
      dependency.#server.fail(dependency.#on, fault),
    stale: (dependency: HttpDependency) => dependency.serveStale(),
    early: (dependency: HttpDependency) => dependency.serveEarly(dependency.#askedAt),
  };
}

const { unresolved, unconnected, stranger, answer, stale, early } = HttpDependency.plays;

const PLAYS: { readonly [fault in Fault]: (dependency: HttpDependency) => Promise<void> | void } = {
  DNS: unresolved,
  conn: unconnected,
  TLS: stranger,
  half: answer('half_open'),
  drip: answer('drip'),
  '429+': answer({ status: 429, retryAfter: String(RETRY_AFTER_SECONDS) }),
  '429': answer({ status: 429 }),
  '500': answer({ status: 500 }),
  '503': answer({ status: 503 }),
  '404': answer({ status: 404 }),
  type: answer('content_type'),
  garb: answer('garbage'),
  over: answer('oversize'),
  redir: answer('redirect'),
  stale,
  futur: early,
};

/** @throws {Error} before the first cell begins */
export function running(service: RunningService | null): RunningService {
  if (service === null) throw new Error('the service is not started');
  return service;
}

export async function healthOf({ url }: Pick<RunningService, 'url'>): Promise<readonly [live: number, ready: number]> {
  const [live, ready] = await Promise.all([call(url, '/livez'), call(url, '/readyz')]);
  return [live.status, ready.status];
}

/** Asks for a decision, or a key, and says what came of it. The request is made before the time is taken. */
export async function askFor(
  timing: Timing,
  { url }: Pick<RunningService, 'url'>,
  body: object,
  { target = '/verify', headers = {} }: { readonly target?: string; readonly headers?: Record<string, string> } = {},
): Promise<Asked> {
  const text = JSON.stringify(body);
  const { value, ...timed } = await timing.of(() => post(url, target, text, headers));
  return { outcome: outcomeOf(value), ...timed };
}

/** Decision and reasons, or status and code. */
export function outcomeOf({ status, body }: Answer): string {
  return status === 200 ? [body.decision, ...body.reasons].join(' ') : `${status} ${body.code}`;
}

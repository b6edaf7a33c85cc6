import type { HeldEndorsement } from '../model/endorsement.js';
import type { PartOutcome } from '../model/reload.js';
import { CallEndedError, Calls, withinMs } from './calls.js';
import type { Participant } from './participant.js';
import type {
  AskedEndorsement,
  CommittedWith,
  Health,
  ParentCalls,
  PreparedWith,
  StartedWith,
  WorkerCalls,
} from './protocol.js';

/** A process, as its parent has it. */
export interface WorkerProcess {
  /** Must not throw where the channel is closed. */
  send(message: object): void;
  onMessage(hear: (message: unknown) => void): void;
  onExit(hear: (how: string) => void): void;
  kill(): void;
}

/** What the parent answers a worker, beside what the worker says of itself. */
export type OfferedCalls = Omit<ParentCalls, 'hello' | 'beat'>;

/** How long a worker may take to open its port: sources of receipt keys are asked meanwhile. */
const START_MS = 60_000;

/** How long it may take to read everything again. */
const PREPARE_MS = 30_000;

/** How long it may take to change over, which waits for nothing. */
const COMMIT_MS = 5_000;

const ENDORSEMENT_MS = 1_000;

/** How long it may drain: longer than a server does. */
const STOP_MS = 25_000;

/** Consecutive missed heartbeats, a second each, after which a worker is killed. */
const SILENT_BEATS = 15;

/** One worker, from its fork to its exit. */
export class RunningWorker implements Participant {
  readonly number: number;
  readonly exited: Promise<string>;
  readonly #process: WorkerProcess;
  readonly #calls: Calls<WorkerCalls, ParentCalls>;
  /** Resolves at the worker's `hello`. Messages sent to it before are lost. */
  readonly #hears: Promise<void>;
  #url: string | null = null;
  #health: Health = NOTHING_SAID;
  #silentBeats = 0;

  constructor(number: number, process: WorkerProcess, offered: (worker: RunningWorker) => OfferedCalls) {
    this.number = number;
    this.#process = process;
    const beat = async (health: Health) => {
      this.#health = health;
      this.#silentBeats = 0;
    };
    let hears = () => {};
    this.#hears = new Promise((resolve) => {
      hears = resolve;
    });
    const hello = async () => hears();
    this.#calls = new Calls((message) => process.send(message), { hello, beat, ...offered(this) });
    process.onMessage((message) => this.#calls.receive(message));
    this.exited = new Promise((resolve) => {
      process.onExit((how) => {
        this.#calls.end(`worker ${number} has ended`);
        resolve(how);
      });
    });
  }

  /** Where it listens; null before. */
  get url(): string | null {
    return this.#url;
  }

  /** As it last said. */
  get health(): Health {
    return this.#health;
  }

  /** Resolves once it listens. @throws {Error} what kept it from that */
  async start(how: StartedWith): Promise<void> {
    const started = this.#hears.then(() => this.#calls.call('start', how));
    const { url, ...health } = await withinMs(START_MS, 'the start', Promise.race([started, this.#ended()]));
    this.#url = url;
    this.#health = health;
  }

  /** Rejects once it has ended. */
  async #ended(): Promise<never> {
    throw new CallEndedError(`worker ${this.number} has ended: ${await this.exited}`);
  }

  prepare(how: PreparedWith): Promise<readonly PartOutcome[]> {
    return withinMs(PREPARE_MS, 'reading again', this.#calls.call('prepare', how));
  }

  async commit(how: CommittedWith): Promise<void> {
    await withinMs(COMMIT_MS, 'changing over', this.#calls.call('commit', how));
  }

  async discard(reload: number): Promise<void> {
    await withinMs(COMMIT_MS, 'dropping what was read', this.#calls.call('discard', reload));
  }

  /** Its figures, for `/metrics`. */
  figures(): Promise<unknown> {
    return withinMs(COMMIT_MS, 'reading figures', this.#calls.call('figures'));
  }

  /** What it has of a digest. Whoever asks does not wait long for one that is busy. */
  endorsement(asked: AskedEndorsement): Promise<HeldEndorsement | null> {
    return withinMs(ENDORSEMENT_MS, 'looking for an endorsement', this.#calls.call('endorsement', asked));
  }

  /** Drains it, and waits for its exit. Bounded. */
  async stop(): Promise<void> {
    // One that does not listen has nothing to drain, and may not hear.
    if (this.#url === null) this.kill();
    // Whether it answers is no matter: it ends.
    this.#calls.call('stop').catch(() => {});
    await withinMs(STOP_MS, 'the stop', this.exited).catch(() => this.kill());
    await this.exited;
  }

  kill(): void {
    this.#process.kill();
  }

  /** To be called each second. A worker that gives no sign of life for long is ended. */
  countBeat(onSilent: () => void): void {
    if (this.#url === null) return;
    this.#silentBeats += 1;
    if (this.#silentBeats <= SILENT_BEATS) return;
    onSilent();
    this.kill();
  }
}

/** Nobody asks for that of one that does not listen. */
const NOTHING_SAID: Health = { readiness: { ready: false, problems: [] }, liveness: { live: true, problems: [] } };

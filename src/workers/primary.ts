import { randomBytes } from 'node:crypto';
import type { Configuration } from '../config/configuration.js';
import type { ConfiguredFiles, ConfiguredFilesOf } from '../model/configured-files.js';
import type { HeldTime, Log } from '../model/ports.js';
import type { PartOutcome } from '../model/reload.js';
import { CallEndedError } from './calls.js';
import { FileBundle, filesBy } from './file-bundle.js';
import { NamedLocks } from './named-locks.js';
import type { Participant } from './participant.js';
import type { CommittedWith, PreparedWith, SharedCalls } from './protocol.js';
import { type OfferedCalls, RunningWorker, type WorkerProcess } from './running-worker.js';
import { failureOf } from './transferred-failure.js';

export interface PrimaryOptions {
  readonly configuration: Configuration;
  /** The port that all workers listen at. */
  readonly port: number;
  /** How many workers answer. */
  readonly workers: number;
  readonly fork: (worker: number) => WorkerProcess;
  readonly log: Log;
  /** Milliseconds of a clock that nobody sets. */
  readonly monotonicMs: () => number;
  readonly shared: SharedCalls;
  /** The MAC key of challenges, 32 bytes. */
  readonly challengeKey: Uint8Array;
  /** What is known of the time at this moment. */
  readonly heldTime: () => HeldTime;
  /** The key that signs receipts where none is configured, PEM of PKCS#8. */
  readonly ephemeralKey: string;
  readonly files: ConfiguredFiles;
  /**
   * What of a reload is taken over in this process.
   * @param files as they are read, by part: those of the reload that is prepared, and else those that are in force
   */
  readonly own: (files: ConfiguredFilesOf) => Promise<OwnPart>;
  /** Hears whether a reload was put in force, all of it or in part. */
  readonly onReloaded: (isTaken: boolean) => void;
  /** Hears of a worker that has ended by itself. */
  readonly onLost: (worker: number) => void;
}

/** The part of a reload that this process takes over itself. */
export interface OwnPart extends Participant {
  /** In force now. */
  readonly configuration: Configuration;
}

/** So many workers that end by themselves in so long, and the service ends. */
const CRASHES = 5;
const CRASHES_MS = 60_000;

const BEAT_MS = 1_000;

/** Between two attempts to start a worker again. */
const LONGEST_PAUSE_MS = 30_000;

const TICKET_KEY_BYTES = 48;

/**
 * The process that forks the workers and watches them. It reads configuration and files once for all of them, and changes over
 * what is reloaded once each has read it. A worker that ends is forked again, and gets what the others have in force.
 */
export class Primary {
  readonly #options: PrimaryOptions;
  readonly #ticketPart: string;
  readonly #workers = new Map<number, RunningWorker>();
  readonly #locks = new NamedLocks<RunningWorker>();
  /** When workers ended by themselves lately. */
  #crashes: readonly number[] = [];
  readonly #ended: Promise<void>;
  #end: () => void = () => {};
  #own: OwnPart | null = null;
  #url = '';
  /** Files that are in force. */
  #bundle: FileBundle;
  /** Those of a reload that is being prepared. */
  #next: FileBundle | null = null;
  #ticketKeys: Uint8Array = randomBytes(TICKET_KEY_BYTES);
  /** Starts and reloads, one after the other. Never rejects. */
  #last: Promise<unknown> = Promise.resolve();
  #reloads = 0;
  #isStopping = false;
  #beats: NodeJS.Timeout | null = null;

  private constructor(options: PrimaryOptions, ticketPart: string) {
    this.#options = options;
    this.#ticketPart = ticketPart;
    this.#bundle = new FileBundle(options.files);
    this.#ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /**
   * Starts the workers: the first alone, so that what keeps them from it is said once.
   * @param ticketPart the part of a reload with which the keys of TLS tickets change
   * @throws {Error} what kept one from starting; none is left then
   */
  static async start(options: PrimaryOptions, ticketPart: string): Promise<Primary> {
    const primary = new Primary(options, ticketPart);
    try {
      primary.#own = await options.own((part) => filesBy((question) => primary.#files().ask(part, question)));
      await primary.#fork(1, false);
      primary.#url = primary.#listening[0]?.url ?? '';
      const others = Array.from({ length: options.workers - 1 }, (_, index) => primary.#fork(index + 2, false));
      await Promise.all(others);
    } catch (error) {
      await primary.#killAll();
      throw error;
    }
    primary.#bundle = primary.#bundle.closed();
    primary.#beats = setInterval(() => primary.#countBeats(), BEAT_MS);
    return primary;
  }

  /** Where the workers listen. */
  get url(): string {
    return this.#url;
  }

  /** Workers that listen, by their numbers. */
  get workers(): readonly RunningWorker[] {
    return this.#listening;
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** Resolves where workers end by themselves too often. */
  get givenUp(): Promise<void> {
    return this.#ended;
  }

  /** Reads everything again, and changes over. Never rejects: what comes of it is in the log. */
  reload(read: () => Promise<Configuration>): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#isStopping) return;
      const { log, onReloaded } = this.#options;
      try {
        await this.#reload(read);
        onReloaded(true);
      } catch (error) {
        log.error({ err: error }, 'reload failed');
        onReloaded(false);
      }
    });
  }

  /** Drains the workers and ends them. Bounded, and never rejects. */
  async close(): Promise<void> {
    this.#isStopping = true;
    if (this.#beats !== null) clearInterval(this.#beats);
    await Promise.all([...this.#workers.values()].map((worker) => worker.stop()));
  }

  get #listening(): readonly RunningWorker[] {
    return [...this.#workers.values()].filter(({ url }) => url !== null);
  }

  #files(): FileBundle {
    return this.#next ?? this.#bundle;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }

  /** @throws {Error} what kept it from listening */
  async #fork(number: number, isAgain: boolean): Promise<void> {
    const { fork, port, challengeKey, ephemeralKey, configuration, heldTime } = this.#options;
    const worker = new RunningWorker(number, fork(number), (self) => this.#offeredTo(self));
    this.#workers.set(number, worker);
    void worker.exited.then((how) => this.#exited(worker, how));
    await worker.start({
      worker: number,
      configuration: this.#own?.configuration ?? configuration,
      port,
      challengeKey,
      heldTime: heldTime(),
      isAgain,
      ephemeralKey,
      ticketKeys: this.#ticketKeys,
    });
    // Told to stop meanwhile: it must not begin to answer.
    if (this.#isStopping) worker.kill();
  }

  #offeredTo(worker: RunningWorker): OfferedCalls {
    return {
      ...this.#options.shared,
      file: ({ part, question }) => this.#files().ask(part, question),
      lock: (name) => this.#locks.lock(name, worker),
      unlock: async (name) => this.#locks.unlock(name, worker),
    };
  }

  #exited(worker: RunningWorker, how: string): void {
    this.#locks.drop(worker);
    if (this.#workers.get(worker.number) === worker) this.#workers.delete(worker.number);
    // One that never listened: whoever started it hears of it.
    if (this.#isStopping || worker.url === null) return;
    const { log, onLost } = this.#options;
    log.error({ worker: worker.number, how }, 'a worker has ended by itself, and is started again');
    onLost(worker.number);
    if (!this.#crashedTooOften()) this.#startAgain(worker.number, BEAT_MS);
  }

  /** @param pauseMs before it is tried again, where it does not start: that alone does not end the service as long as others answer */
  #startAgain(number: number, pauseMs: number): void {
    void this.#inTurn(async () => {
      if (this.#isStopping) return;
      try {
        await this.#fork(number, true);
        this.#options.log.info({ worker: number }, 'the worker listens again');
      } catch (error) {
        this.#workers.get(number)?.kill();
        this.#options.log.error({ worker: number, err: error }, 'the worker could not be started again');
        if (this.#isStopping || (this.#listening.length === 0 && this.#crashedTooOften())) return;
        setTimeout(() => this.#startAgain(number, Math.min(2 * pauseMs, LONGEST_PAUSE_MS)), pauseMs).unref();
      }
    });
  }

  #crashedTooOften(): boolean {
    const now = this.#options.monotonicMs();
    this.#crashes = [...this.#crashes, now].filter((at) => now - at < CRASHES_MS);
    if (this.#crashes.length < CRASHES) return false;
    this.#options.log.error(
      { crashes: this.#crashes.length, seconds: CRASHES_MS / 1000 },
      'workers end too often: the service ends',
    );
    this.#end();
    return true;
  }

  #countBeats(): void {
    for (const worker of this.#listening) {
      const tell = () =>
        this.#options.log.error({ worker: worker.number }, 'a worker gives no sign of life, and is ended');
      worker.countBeat(tell);
    }
  }

  async #killAll(): Promise<void> {
    this.#isStopping = true;
    const all = [...this.#workers.values()];
    for (const worker of all) worker.kill();
    await Promise.all(all.map(({ exited }) => exited));
  }

  async #reload(read: () => Promise<Configuration>): Promise<void> {
    const reload = ++this.#reloads;
    const next = new FileBundle(this.#options.files);
    this.#next = next;
    try {
      const participants = await this.#prepare({ reload, ...(await preparedWith(read)) });
      const parts = fitEverywhere(participants.flatMap(({ read: own }) => own));
      const ticketKeys = parts.includes(this.#ticketPart) ? randomBytes(TICKET_KEY_BYTES) : this.#ticketKeys;
      const how = { reload, parts, ticketKeys };
      const workers = participants.flatMap(({ participant }) =>
        participant instanceof RunningWorker ? [participant] : [],
      );
      await this.#commitOwn(how, workers);
      this.#bundle = this.#bundle.with(parts, next);
      this.#ticketKeys = ticketKeys;
      await Promise.all(workers.map((worker) => this.#commit(worker, how)));
    } finally {
      this.#next = null;
    }
  }

  /**
   * A worker that has ended meanwhile is started again later, with what is in force then.
   * @throws {Error} where one is there and cannot tell: then nobody changes over
   */
  async #prepare(how: PreparedWith): Promise<readonly Prepared[]> {
    const all: readonly Participant[] = [...this.#listening, ...(this.#own === null ? [] : [this.#own])];
    const outcomes = await Promise.allSettled(
      all.map(async (one) => ({ participant: one, read: await one.prepare(how) })),
    );
    const failed = outcomes.filter(
      (outcome) => outcome.status === 'rejected' && !(outcome.reason instanceof CallEndedError),
    );
    const prepared = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    if (failed.length === 0) return prepared;
    // Also those that are late: what they come to must not be put in force by another reload.
    await Promise.allSettled(all.map((one) => one.discard(how.reload)));
    throw (failed[0] as PromiseRejectedResult).reason;
  }

  /** This process first: where it cannot, no worker has changed anything, and none does. */
  async #commitOwn(how: CommittedWith, workers: readonly RunningWorker[]): Promise<void> {
    try {
      await this.#own?.commit(how);
    } catch (error) {
      await Promise.allSettled(workers.map((worker) => worker.discard(how.reload)));
      throw error;
    }
  }

  /** One that does not change over must not go on with what was before: it is ended, and comes back with what the others have. */
  async #commit(worker: RunningWorker, how: CommittedWith): Promise<void> {
    try {
      await worker.commit(how);
    } catch (error) {
      this.#options.log.error({ worker: worker.number, err: error }, 'a worker has not changed over, and is ended');
      worker.kill();
    }
  }
}

interface Prepared {
  readonly participant: Participant;
  readonly read: readonly PartOutcome[];
}

async function preparedWith(read: () => Promise<Configuration>) {
  try {
    return { configuration: await read() };
  } catch (error) {
    return { failure: failureOf(error) };
  }
}

/** Parts that every process which has them can use. */
function fitEverywhere(outcomes: readonly PartOutcome[]): readonly string[] {
  const unfit = new Set(outcomes.filter(({ isFit }) => !isFit).map(({ name }) => name));
  return [...new Set(outcomes.map(({ name }) => name))].filter((name) => !unfit.has(name));
}

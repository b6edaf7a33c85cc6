import { Worker } from 'node:worker_threads';
import { type AppendedChains, type LogStore, StoreUnavailableError } from '../../core/decision-log.js';
import { notOpened } from './engine-problem.js';
import type { Answered, Arguments, Forgotten, OperationName, Result } from './operations.js';
import { WORKER_BODY } from './worker-body.js';

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

/** A SQLite file in its own thread. */
export class SqliteStore implements LogStore {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #ended: Promise<void>;
  #nextId = 0;
  /** Why the thread has ended; null while it runs. */
  #over: string | null = null;

  private constructor(worker: Worker) {
    this.#worker = worker;
    this.#ended = new Promise((resolve) => worker.once('exit', () => resolve()));
  }

  /**
   * Opens the file, or creates it.
   * @throws {StoreUnavailableError} if it cannot be used, is a file of another program, or the engine does not load
   */
  static async open(path: string): Promise<SqliteStore> {
    return SqliteStore.#start({ path, readOnly: false });
  }

  /**
   * Opens an existing file read-only, as of now. Later writes of other processes have no effect on it.
   * @throws {StoreUnavailableError} as `open`, and if its schema is not that of this version
   */
  static async openToRead(path: string): Promise<SqliteStore> {
    return SqliteStore.#start({ path, readOnly: true });
  }

  static async #start(workerData: WorkerData): Promise<SqliteStore> {
    const store = new SqliteStore(startWorker(workerData));
    await store.#opened();
    return store;
  }

  /** Whether the thread runs. The next call of the store checks the file itself. */
  get isReachable(): boolean {
    return this.#over === null;
  }

  // Each is an operation of the file with the same name.
  readonly append = this.#asks('append');
  readonly last = this.#asks('last');
  readonly chains = this.#asks('chains');
  readonly putHead = this.#asks('putHead');
  readonly records = this.#asks('records');
  readonly heads = this.#asks('heads');
  readonly entries = this.#asks('entries');
  readonly releaseEntries = this.#asks('releaseEntries');
  readonly strays = this.#asks('strays');
  readonly list = this.#asks('list');
  readonly find = this.#asks('find');
  readonly object = this.#asks('object');
  readonly objects = this.#asks('objects');
  readonly objectsOf = this.#asks('objectsOf');
  readonly prunable = this.#asks('prunable');
  readonly prune = this.#asks('prune');
  readonly claimPruning = this.#asks('claimPruning');
  /** Stores records of another store, whether or not the objects that they reference are there. */
  readonly stage = this.#asks('stage');
  /** Stores an object for records that are staged later. */
  readonly putObject = this.#asks('putObject');
  /** Drops objects that no record references. */
  readonly dropStrayObjects = this.#asks('dropStrayObjects');
  /**
   * Appends the chains of another file, all of them or none. Skips a chain that this file has with the same records.
   * @param path a file with the schema of this version, without a writer
   */
  async appendChains(path: string): Promise<AppendedChains> {
    await this.ask('attach', path);
    return this.ask('appendChains');
  }

  /** Runs one operation of the file. */
  ask<N extends OperationName>(name: N, ...args: Arguments<N>): Promise<Result<N>> {
    if (this.#over !== null) return Promise.reject(new StoreUnavailableError(this.#over));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: never) => void, reject });
      this.#worker.postMessage({ id, name, args });
    });
  }

  /**
   * Runs an operation like `ask`, with a signal: skips a call that has not begun when the signal aborts.
   * @param givenUp undefined: the call cannot be cancelled
   */
  async askFor<N extends OperationName>(
    givenUp: AbortSignal | undefined,
    name: N,
    ...args: Arguments<N>
  ): Promise<Result<N>> {
    const id = this.#nextId;
    const asked = this.ask(name, ...args);
    const forget = () => this.#worker.postMessage({ forget: id } satisfies Forgotten);
    givenUp?.addEventListener('abort', forget, { once: true });
    return asked.finally(() => givenUp?.removeEventListener('abort', forget));
  }

  /** Ends the thread after all earlier calls. */
  async close(): Promise<void> {
    if (this.#over === null) this.#worker.postMessage('close');
    this.#over ??= 'the store is closed';
    await this.#ended;
  }

  #asks<N extends OperationName>(name: N): (...args: Arguments<N>) => Promise<Result<N>> {
    return (...args) => this.ask(name, ...args);
  }

  #opened(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#worker.on('message', (message: Answered | 'open') => {
        if (message === 'open') resolve();
        else this.#settle(message);
      });
      this.#worker.once('error', (error) => {
        this.#end(error);
        reject(notOpened(error));
      });
      this.#worker.once('exit', () => {
        const error = new StoreUnavailableError('the thread of the store has ended');
        this.#end(error);
        reject(error);
      });
    });
  }

  #settle(answer: Answered): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ('error' in answer) waiting?.reject(new StoreUnavailableError(answer.error));
    else waiting?.resolve(answer.value as never);
  }

  /** Rejects all pending calls: whether their writes committed is unknown. */
  #end(error: Error): void {
    this.#over ??= error.message;
    for (const { reject } of this.#waiting.values()) reject(new StoreUnavailableError(error.message));
    this.#waiting.clear();
  }
}

/** Small memory makes garbage collection frequent: the engine releases a failed connection once its statements are collected. */
const RESOURCES = { maxYoungGenerationSizeMb: 4 };

interface WorkerData {
  readonly path: string;
  readonly readOnly: boolean;
}

function startWorker(workerData: WorkerData): Worker {
  return new Worker(WORKER_BODY.source, { workerData, resourceLimits: RESOURCES, eval: WORKER_BODY.eval });
}

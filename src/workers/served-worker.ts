import type { Configuration } from '../config/configuration.js';
import type { ConfiguredFiles } from '../model/configured-files.js';
import type { HeldEndorsement } from '../model/endorsement.js';
import type { Exclusive } from '../model/exclusive.js';
import type { Liveness, Readiness } from '../model/health.js';
import type { PartOutcome } from '../model/reload.js';
import { Calls } from './calls.js';
import { filesBy } from './file-bundle.js';
import type {
  CommittedWith,
  Health,
  ParentCalls,
  PreparedWith,
  SharedCalls,
  Started,
  StartedWith,
  WorkerCalls,
} from './protocol.js';
import { thrownBy } from './transferred-failure.js';

/** The channel to the process that forked this one. */
export interface ParentChannel {
  /** Must not throw where the channel is closed. */
  send(message: object): void;
  onMessage(hear: (message: unknown) => void): void;
}

/** What the processes of a service share, as a worker has it. */
export interface SharedByWorkers {
  readonly files: (part: string) => ConfiguredFiles;
  readonly exclusive: Exclusive;
  /** Those of now, 48 bytes. */
  readonly ticketKeys: () => Uint8Array;
  /** What the parent answers beside that. */
  readonly calls: SharedCalls;
}

/** The service of this worker. */
export interface ServedService {
  readonly url: string;
  readonly readiness: { execute(): Promise<Readiness> };
  readonly liveness: { execute(): Promise<Liveness> };
  figures(): Promise<unknown>;
  endorsement(tenant: string, sha256: string): HeldEndorsement | null;
  prepareReload(read: () => Promise<Configuration>): Promise<PreparedService>;
  close(): Promise<void>;
}

interface PreparedService {
  readonly parts: readonly PartOutcome[];
  commit(parts: ReadonlySet<string>): readonly string[];
  discard(): Promise<void>;
}

const BEAT_MS = 1_000;

/**
 * Does what the parent asks, until it is told to stop.
 * @param open starts the service
 * @returns once it has stopped
 */
export function serveParent(
  channel: ParentChannel,
  open: (how: StartedWith, shared: SharedByWorkers) => Promise<ServedService>,
): Promise<void> {
  return new Promise((resolve) => {
    const worker = new ServedWorker(channel, open, resolve);
    channel.onMessage((message) => worker.receive(message));
    worker.greet();
  });
}

class ServedWorker {
  readonly #calls: Calls<ParentCalls, WorkerCalls>;
  readonly #open: (how: StartedWith, shared: SharedByWorkers) => Promise<ServedService>;
  readonly #stopped: () => void;
  #service: ServedService | null = null;
  /** The last one that was to be read; null: it was dropped. */
  #reload: number | null = null;
  #prepared: PreparedService | null = null;
  #ticketKeys: Uint8Array = new Uint8Array();
  #beats: NodeJS.Timeout | null = null;

  constructor(
    channel: ParentChannel,
    open: (how: StartedWith, shared: SharedByWorkers) => Promise<ServedService>,
    stopped: () => void,
  ) {
    this.#open = open;
    this.#stopped = stopped;
    this.#calls = new Calls((message) => channel.send(message), {
      start: (how) => this.#start(how),
      prepare: (how) => this.#prepare(how),
      commit: (how) => this.#commit(how),
      discard: (reload) => this.#discard(reload),
      figures: async () => this.#started.figures(),
      endorsement: async ({ tenant, sha256 }) => this.#started.endorsement(tenant, sha256),
      stop: () => this.#stop(),
    });
  }

  /** The parent sends nothing before: it would be lost. */
  greet(): void {
    this.#calls.call('hello').catch(() => {});
  }

  receive(message: unknown): void {
    this.#calls.receive(message);
  }

  get #started(): ServedService {
    if (this.#service === null) throw new Error('the worker has not started');
    return this.#service;
  }

  async #start(how: StartedWith): Promise<Started> {
    this.#ticketKeys = how.ticketKeys;
    const calls = this.#calls;
    const service = await this.#open(how, {
      files: (part) => filesBy((question) => calls.call('file', { part, question })),
      exclusive: (name, work) => this.#exclusive(name, work),
      ticketKeys: () => this.#ticketKeys,
      calls: {
        metrics: () => calls.call('metrics'),
        proof: (used) => calls.call('proof', used),
        handedOver: () => calls.call('handedOver'),
        endorsement: (asked) => calls.call('endorsement', asked),
      },
    });
    this.#service = service;
    this.#beats = setInterval(() => void this.#beat(service), BEAT_MS).unref();
    return { url: service.url, ...(await healthOf(service)) };
  }

  async #exclusive<T>(name: string, work: () => Promise<T>): Promise<T> {
    await this.#calls.call('lock', name);
    try {
      return await work();
    } finally {
      // Where the parent is gone, so is this process.
      this.#calls.call('unlock', name).catch(() => {});
    }
  }

  async #beat(service: ServedService): Promise<void> {
    await this.#calls.call('beat', await healthOf(service)).catch(() => {});
  }

  /** @throws {Error} where another reload has begun meanwhile, or this one was dropped */
  async #prepare(how: PreparedWith): Promise<readonly PartOutcome[]> {
    const { reload } = how;
    const read = async () => {
      if ('failure' in how) throw thrownBy(how.failure);
      return how.configuration;
    };
    this.#reload = reload;
    const prepared = await this.#started.prepareReload(read);
    if (this.#reload !== reload) {
      await prepared.discard();
      throw new Error('the reload was dropped');
    }
    this.#prepared = prepared;
    return prepared.parts;
  }

  /** @throws {Error} where a part is not in force: then this process must not go on with what was before */
  async #commit({ reload, parts, ticketKeys }: CommittedWith): Promise<void> {
    const prepared = this.#prepared;
    if (prepared === null || this.#reload !== reload) throw new Error('nothing was read that could be put in force');
    this.#prepared = null;
    this.#ticketKeys = ticketKeys;
    const own = prepared.parts.map(({ name }) => name);
    const wanted = parts.filter((part) => own.includes(part));
    const taken = prepared.commit(new Set(wanted));
    const missing = wanted.filter((part) => !taken.includes(part));
    if (missing.length > 0) throw new Error(`not in force: ${missing.join(', ')}`);
  }

  async #discard(reload: number): Promise<void> {
    if (this.#reload !== reload) return;
    this.#reload = null;
    const prepared = this.#prepared;
    this.#prepared = null;
    await prepared?.discard();
  }

  async #stop(): Promise<void> {
    if (this.#beats !== null) clearInterval(this.#beats);
    await this.#service?.close();
    this.#stopped();
  }
}

async function healthOf({ readiness, liveness }: ServedService): Promise<Health> {
  return { readiness: await readiness.execute(), liveness: await liveness.execute() };
}

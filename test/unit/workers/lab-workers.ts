import type { Configuration } from '../../../src/config/configuration.js';
import type { ConfiguredFiles } from '../../../src/model/configured-files.js';
import type { Readiness } from '../../../src/model/health.js';
import type { OwnPart } from '../../../src/workers/primary.js';
import type { StartedWith } from '../../../src/workers/protocol.js';
import type { WorkerProcess } from '../../../src/workers/running-worker.js';
import { type ServedService, type SharedByWorkers, serveParent } from '../../../src/workers/served-worker.js';

/** What the files of the test hold now. */
export class TestFiles implements ConfiguredFiles {
  content = 'old';

  async read(): Promise<Uint8Array> {
    return Buffer.from(this.content);
  }

  names = async () => [];
  mark = async () => this.content;
  policies = async () => null;
}

/** How a service in a worker behaves. */
export interface Behaviour {
  /** Parts that it cannot use. */
  readonly unfit?: readonly string[];
  readonly start?: () => Promise<void>;
  readonly prepare?: () => Promise<void>;
  /** Names of parts that it fails to put in force. */
  readonly notCommitted?: readonly string[];
  readonly readiness?: Readiness;
  readonly endorsement?: ServedService['endorsement'];
  readonly close?: () => Promise<void>;
}

export const READY: Readiness = { ready: true, problems: [] };

/** The parts of every service here; each has a file. */
const PARTS = ['policies', 'callers'];

/** A worker in this process: its messages are copied, as between processes. */
export class LabWorker implements WorkerProcess {
  /** What is in force, by part. */
  readonly inForce = new Map<string, string>();
  started: StartedWith | null = null;
  shared: SharedByWorkers | null = null;
  /** Keys of TLS tickets at the moment of the last change-over. */
  keysAtCommit: Uint8Array | null = null;
  /** Whether nothing reaches it any more. */
  isDeaf = false;
  isStopped = false;
  /** Reloads that were read and dropped. */
  discarded = 0;
  #hear: (message: unknown) => void = () => {};
  #hearParent: (message: unknown) => void = () => {};
  #exit: (how: string) => void = () => {};
  isGone = false;
  readonly #behaviour: () => Behaviour;

  constructor(behaviour: () => Behaviour) {
    this.#behaviour = behaviour;
    const channel = {
      send: (message: object) => this.#pass(message, () => this.#hear),
      onMessage: (hear: (message: unknown) => void) => {
        this.#hearParent = hear;
      },
    };
    void serveParent(channel, (how, shared) => this.#open(how, shared)).then(() => {
      this.isStopped = true;
      this.die('exit code 0');
    });
  }

  send(message: object): void {
    if (!this.isDeaf) this.#pass(message, () => this.#hearParent);
  }

  onMessage(hear: (message: unknown) => void): void {
    this.#hear = hear;
  }

  onExit(hear: (how: string) => void): void {
    this.#exit = hear;
  }

  kill(): void {
    this.die('SIGKILL');
  }

  /** Ends it. */
  die(how = 'SIGSEGV'): void {
    if (this.isGone) return;
    this.isGone = true;
    this.#exit(how);
  }

  #pass(message: object, to: () => (message: unknown) => void): void {
    const copy = structuredClone(message);
    setImmediate(() => {
      if (!this.isGone) to()(copy);
    });
  }

  async #open(how: StartedWith, shared: SharedByWorkers): Promise<ServedService> {
    this.started = how;
    this.shared = shared;
    await this.#behaviour().start?.();
    const read = (part: string) =>
      shared
        .files(part)
        .read(part)
        .then((bytes) => Buffer.from(bytes).toString());
    for (const part of PARTS) this.inForce.set(part, await read(part));
    return {
      url: 'http://127.0.0.1:1',
      readiness: { execute: async () => this.#behaviour().readiness ?? READY },
      liveness: { execute: async () => ({ live: true, problems: [] }) },
      figures: async () => [],
      endorsement: (tenant, sha256) => this.#behaviour().endorsement?.(tenant, sha256) ?? null,
      prepareReload: async (readConfiguration) => {
        const next = new Map<string, string>();
        for (const part of PARTS) next.set(part, await read(part));
        await this.#behaviour().prepare?.();
        const isRead = await readConfiguration().then(
          () => true,
          () => false,
        );
        const isFit = (part: string) => !this.#behaviour().unfit?.includes(part) && (part !== 'callers' || isRead);
        return {
          parts: PARTS.map((name) => ({ name, isFit: isFit(name) })),
          commit: (parts) => {
            this.keysAtCommit = shared.ticketKeys();
            const taken = [...parts].filter((part) => !this.#behaviour().notCommitted?.includes(part));
            for (const part of taken) this.inForce.set(part, next.get(part) ?? '');
            return taken;
          },
          discard: async () => {
            this.discarded += 1;
          },
        };
      },
      close: async () => this.#behaviour().close?.(),
    };
  }
}

/** What the process of the primary takes over itself: nothing but the configuration. */
export function ownPart(configuration: Configuration): OwnPart {
  return {
    configuration,
    prepare: async () => [],
    commit: async () => {},
    discard: async () => {},
  };
}

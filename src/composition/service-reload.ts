import type { Configuration } from '../config/configuration.js';
import { configurationDigest } from '../config/effective-configuration.js';
import { ConfigurationError } from '../model/errors.js';
import type { JsonObject } from '../model/json.js';
import type { Log } from '../model/ports.js';
import { type PartOutcome, type PreparedPart, unfitPart } from '../model/reload.js';
import { ACCESS_PART, type AccessReload, type ReloadedAccess, type ReloadedListeners } from './reloaded-access.js';

/** Something whose files are read again while the service runs. Never rejects: what is wrong with them is in the log. */
interface ReloadedPart {
  prepareReload(): Promise<PreparedPart | readonly PreparedPart[]>;
}

/** What can be read again while the service runs. */
export interface ReloadedParts {
  readonly policies: ReloadedPart;
  readonly roots: ReloadedPart;
  readonly receiptKeys: ReloadedPart;
  /** Takes what is right, file by file. Files of folders that are not right are left out, as the log says. */
  readonly endorsements: ReloadedPart;
  readonly tracing: ReloadedPart;
  readonly access: ReloadedAccess;
  readonly listeners: ReloadedListeners;
  readonly log: Log;
  /** Hears of each part, beside policies, whether what was read is in force. Where not, something in it was wrong. */
  readonly onRead: (part: string, isTaken: boolean) => void;
  /** Hears what came of each. */
  readonly onReloaded: (outcome: JsonObject) => void;
}

/** Reads file and environment again. @throws {ConfigurationError} */
export type ReadConfiguration = () => Promise<Configuration>;

/** A reload of which everything was read. It is committed or discarded before the next one is prepared. */
export interface PreparedReload {
  readonly parts: readonly PartOutcome[];
  /**
   * Puts parts in force, at once.
   * @param parts names of those; left out, all that are fit
   * @returns names of those that are in force: without any that could not be put there, as the log says
   */
  commit(parts?: ReadonlySet<string>): readonly string[];
  /** What was in force stays. */
  discard(): Promise<void>;
}

/** Reads everything again that does not need a restart, and says what came of it. */
export class ServiceReload {
  readonly #parts: ReloadedParts;
  #last: Promise<void> = Promise.resolve();

  constructor(parts: ReloadedParts) {
    this.#parts = parts;
  }

  /** One after the other. Never rejects: what comes of it is in the log. */
  run(read: ReadConfiguration): Promise<void> {
    const { log } = this.#parts;
    const run = async () => void (await this.prepare(read)).commit();
    this.#last = this.#last.then(run).catch((error: unknown) => log.error({ err: error }, 'reload failed'));
    return this.#last;
  }

  async prepare(read: ReadConfiguration): Promise<PreparedReload> {
    const { policies, roots, receiptKeys, endorsements, tracing } = this.#parts;
    let came: AccessReload | null = null;
    const access = this.#prepareAccess(read, (outcome) => {
      came = outcome;
    });
    const reading = [policies, roots, receiptKeys, access, endorsements, tracing].map((part) => part.prepareReload());
    const prepared = (await Promise.all(reading)).flat();
    const fit = new Set(prepared.filter(({ isFit }) => isFit).map(({ name }) => name));
    return {
      parts: prepared.map(({ name, isFit }) => ({ name, isFit })),
      commit: (parts = fit) => {
        const wanted = prepared.filter(({ name }) => parts.has(name));
        for (const part of prepared) if (!wanted.includes(part)) void part.discard?.();
        const taken = wanted.filter((part) => this.#isCommitted(part)).map(({ name }) => name);
        this.#say(
          prepared.map(({ name }) => [name, taken.includes(name)]),
          came,
        );
        return taken;
      },
      discard: async () => {
        await Promise.all(prepared.map((part) => part.discard?.()));
      },
    };
  }

  #isCommitted({ name, commit }: PreparedPart): boolean {
    try {
      commit();
      return true;
    } catch (error) {
      this.#parts.log.error(
        { err: error, part: name },
        'read again, and cannot be used: what was before stays in force',
      );
      return false;
    }
  }

  #say(outcomes: readonly (readonly [name: string, isTaken: boolean])[], access: AccessReload | null): void {
    const { log, onRead, onReloaded } = this.#parts;
    const kept = outcomes.filter(([, taken]) => !taken).map(([name]) => name);
    for (const [name, taken] of outcomes) onRead(name, taken);
    const needRestart = access?.needRestart ?? [];
    const fields = {
      reread: outcomes.filter(([, taken]) => taken).map(([name]) => name),
      changed: access?.tookOver ?? [],
      keptAsBefore: kept,
      needRestart,
      ...(access === null ? {} : { configuration: configurationDigest(access.configuration) }),
    };
    onReloaded(fields);
    if (kept.length > 0) log.warn(fields, 'reloaded in part: the parts that were wrong stay as they were');
    else if (needRestart.length > 0) log.warn(fields, 'reloaded: some changed keys need a restart');
    else log.info(fields, 'reloaded');
  }

  #prepareAccess(read: ReadConfiguration, hear: (outcome: AccessReload) => void): ReloadedPart {
    const { access, listeners, log } = this.#parts;
    return {
      prepareReload: async () => {
        try {
          const prepared = await access.prepareReload(await read(), listeners);
          const commit = () => hear(prepared.commit());
          return { name: ACCESS_PART, isFit: true, commit, discard: () => prepared.discard() };
        } catch (error) {
          const fields = error instanceof ConfigurationError ? { problems: error.problems } : { err: error };
          log.error(fields, 'callers and TLS material not reloaded: the previous ones stay in force');
          return unfitPart(ACCESS_PART);
        }
      },
    };
  }
}

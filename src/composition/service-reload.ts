import type { Configuration } from '../config/configuration.js';
import { configurationDigest } from '../config/effective-configuration.js';
import type { ReloadOutcome } from '../endorsements/files/open-source.js';
import { ConfigurationError } from '../model/errors.js';
import type { JsonObject } from '../model/json.js';
import type { Log } from '../model/ports.js';
import type { AccessReload, ReloadedAccess, ReloadedListeners } from './reloaded-access.js';

/** What can be read again while the service runs. */
export interface ReloadedParts {
  /** Each says whether what was read is in force. Why not is in the log already. */
  readonly policies: { reload(): Promise<boolean> };
  readonly roots: { reload(): Promise<boolean> };
  readonly receiptKeys: { reload(): Promise<boolean> };
  /** Takes what is right, file by file. Files of folders that are not right are left out, as the log says. */
  readonly endorsements: { reload(): Promise<readonly ReloadOutcome[]> };
  readonly tracing: { reload(): Promise<readonly ReloadOutcome[]> };
  readonly access: ReloadedAccess;
  readonly listeners: ReloadedListeners;
  /** Reads file and environment again. */
  readonly readConfiguration: () => Promise<Configuration>;
  readonly log: Log;
  /** Hears of each part, beside policies, whether what was read is in force. Where not, something in it was wrong. */
  readonly onRead: (part: string, isTaken: boolean) => void;
  /** Hears what came of each. */
  readonly onReloaded: (outcome: JsonObject) => void;
}

/** Reads everything again that does not need a restart, and says what came of it. */
export class ServiceReload {
  readonly #parts: ReloadedParts;
  #last: Promise<void> = Promise.resolve();

  constructor(parts: ReloadedParts) {
    this.#parts = parts;
  }

  /** One after the other. Never rejects: what comes of it is in the log. */
  run(): Promise<void> {
    const { log } = this.#parts;
    const run = () => this.#run().catch((error: unknown) => log.error({ err: error }, 'reload failed'));
    this.#last = this.#last.then(run);
    return this.#last;
  }

  async #run(): Promise<void> {
    const { policies, roots, receiptKeys, endorsements, tracing, log } = this.#parts;
    const [havePolicies, haveRoots, haveReceiptKeys, access, ofEndorsements, ofTracing] = await Promise.all([
      policies.reload(),
      roots.reload(),
      receiptKeys.reload(),
      this.#access(),
      endorsements.reload(),
      tracing.reload(),
    ]);
    const outcomes: readonly (readonly [string, boolean])[] = [
      ['policies', havePolicies],
      ['roots', haveRoots],
      ['receipt keys', haveReceiptKeys],
      ['callers and listen.tls', access !== null],
      ...[...ofEndorsements, ...ofTracing].map(({ name, isTaken }) => [name, isTaken] as const),
    ];
    const kept = outcomes.filter(([, taken]) => !taken).map(([name]) => name);
    // Those count where they are read, which is not on reloads alone.
    for (const [name, taken] of outcomes) if (name !== 'policies') this.#parts.onRead(name, taken);
    const read = outcomes.filter(([, taken]) => taken).map(([name]) => name);
    const needRestart = access?.needRestart ?? [];
    const fields = {
      reread: read,
      changed: access?.tookOver ?? [],
      keptAsBefore: kept,
      needRestart,
      ...(access === null ? {} : { configuration: configurationDigest(access.configuration) }),
    };
    this.#parts.onReloaded(fields);
    if (kept.length > 0) log.warn(fields, 'reloaded in part: the parts that were wrong stay as they were');
    else if (needRestart.length > 0) log.warn(fields, 'reloaded: some changed keys need a restart');
    else log.info(fields, 'reloaded');
  }

  async #access(): Promise<AccessReload | null> {
    const { access, listeners, readConfiguration, log } = this.#parts;
    try {
      return await access.reload(await readConfiguration(), listeners);
    } catch (error) {
      const fields = error instanceof ConfigurationError ? { problems: error.problems } : { err: error };
      log.error(fields, 'callers and TLS material not reloaded: the previous ones stay in force');
      return null;
    }
  }
}

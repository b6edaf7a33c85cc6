import type { Configuration } from '../../config/configuration.js';
import { configurationDigest } from '../../config/effective-configuration.js';
import { ConfigurationError } from '../../core/errors.js';
import type { JsonObject } from '../../core/json.js';
import type { Log } from '../../core/ports.js';
import type { PartOutcome } from '../../core/reload.js';
import type { DecisionLog } from '../../log/decision-log.js';
import type { Metrics } from '../../telemetry/metrics.js';
import type { Endings } from '../check/endings.js';
import { namedRoots, type ReloadedRoots } from './configured-roots.js';
import { ACCESS_PART, type AccessReload, type ReloadedAccess, type ReloadedListeners } from './reloaded-access.js';
import { isPoliciesPart } from './tenant-policies.js';

/** A part whose files can be read again while the service runs. Never rejects: errors are logged. */
interface ReloadedPart {
  reload(): Promise<PartOutcome | readonly PartOutcome[]>;
}

export interface ReloadedParts {
  readonly policies: ReloadedPart;
  readonly roots: ReloadedPart;
  readonly receiptKeys: ReloadedPart;
  /** Uses each readable file. A file that cannot be used is left out, and the log names it. */
  readonly endorsements: ReloadedPart;
  readonly tracing: ReloadedPart;
  readonly access: ReloadedAccess;
  readonly listeners: ReloadedListeners;
  readonly log: Log;
  /** Called for each part except policies, with whether the read values are in force. If not, a value was wrong. */
  readonly onRead: (part: string, isTaken: boolean) => void;
  /** Called with the outcome of each reload. */
  readonly onReloaded: (outcome: JsonObject) => void;
}

/** Reads file and environment again. @throws {ConfigurationError} */
type ReadConfiguration = () => Promise<Configuration>;

/** Reads everything again that does not need a restart, and logs the outcome. */
export class ServiceReload {
  readonly #parts: ReloadedParts;
  #last: Promise<void> = Promise.resolve();

  constructor(parts: ReloadedParts) {
    this.#parts = parts;
  }

  /** Reloads run one after the other. Never rejects: errors are logged. */
  run(read: ReadConfiguration): Promise<void> {
    const { log } = this.#parts;
    const run = () => this.#run(read);
    this.#last = this.#last.then(run).catch((error: unknown) => log.error({ err: error }, 'reload failed'));
    return this.#last;
  }

  async #run(read: ReadConfiguration): Promise<void> {
    const { policies, roots, receiptKeys, endorsements, tracing } = this.#parts;
    const [first, access, ...others] = await Promise.all([
      Promise.all([policies, roots, receiptKeys].map((part) => part.reload())),
      this.#access(read),
      endorsements.reload(),
      tracing.reload(),
    ]);
    const ofAccess = { name: ACCESS_PART, isTaken: access !== null };
    this.#say([...first.flat(), ofAccess, ...others.flat()], access);
  }

  #say(outcomes: readonly PartOutcome[], access: AccessReload | null): void {
    const { log, onRead, onReloaded } = this.#parts;
    const kept = outcomes.filter(({ isTaken }) => !isTaken).map(({ name }) => name);
    for (const { name, isTaken } of outcomes) onRead(name, isTaken);
    const needRestart = access?.needRestart ?? [];
    const fields = {
      reread: outcomes.filter(({ isTaken }) => isTaken).map(({ name }) => name),
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

  /** Null: the previous access stays in force, and the log says so. */
  async #access(read: ReadConfiguration): Promise<AccessReload | null> {
    const { access, listeners, log } = this.#parts;
    try {
      return await access.reload(await read(), listeners);
    } catch (error) {
      const fields = error instanceof ConfigurationError ? { problems: error.problems } : { err: error };
      log.error(fields, 'callers and TLS material not reloaded: the previous ones stay in force');
      return null;
    }
  }
}

/** The dependencies of the reload of a service. */
export interface ReloadOptions extends Omit<ReloadedParts, 'onRead' | 'onReloaded'> {
  readonly roots: ReloadedRoots;
  readonly metrics: Metrics;
  readonly decisionLog: DecisionLog | null;
  readonly endings: Endings;
}

/** The reload of a service. Reports to metrics, the decision log and the watch over expiries. */
export function openReload({ metrics, decisionLog, endings, ...parts }: ReloadOptions): ServiceReload {
  return new ServiceReload({
    ...parts,
    onRead: (part, isTaken) => {
      // Policies are counted at every read, not only at reloads.
      if (isPoliciesPart(part)) return;
      if (isTaken) metrics.reloaded(part);
      else metrics.reloadFailed(part);
    },
    onReloaded: (outcome) => {
      void decisionLog?.noteChange('reloaded', { ...outcome, roots: namedRoots(parts.roots) });
      void decisionLog?.noteKeys();
      endings.warn('access', 'akIssuers', 'endorsements', 'receiptKeys');
    },
  });
}

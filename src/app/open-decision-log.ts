import { randomUUID } from 'node:crypto';
import type { Configuration } from '../config/configuration.js';
import { configurationDigest } from '../config/effective-configuration.js';
import type { LogStore } from '../core/decision-log.js';
import type { JsonObject } from '../core/json.js';
import type { Clock, Log } from '../core/ports.js';
import { DecisionLog } from '../log/decision-log.js';
import type { HeadSigner } from '../log/heads.js';
import { RecordCopy } from '../log/record-copy.js';
import { notUsable } from './decision-store.js';
import type { OpenParts } from './open-parts.js';
import { type ConfiguredRoots, namedRoots } from './reload/configured-roots.js';

const DAY_MS = 86_400_000;

export interface DecisionLogOptions {
  readonly clock: Clock;
  readonly isClockInDoubt: () => boolean;
  readonly log: Log;
  readonly version: string;
  readonly signer: HeadSigner;
  /** Id, version and digest of each. */
  readonly policies: readonly JsonObject[];
  readonly roots: ConfiguredRoots;
  readonly onDropped: () => void;
}

/** @throws {ConfigurationError} if the store rejects the first record */
export async function openDecisionLog(
  store: LogStore,
  configuration: Configuration,
  { policies, roots, ...options }: DecisionLogOptions,
  opened: OpenParts,
): Promise<DecisionLog> {
  const parts = {
    ...options,
    store,
    chain: randomUUID(),
    copy: copyOf(configuration, options.log),
    retentionMs: configuration.decisions.retentionDays * DAY_MS,
  };
  const started = { configuration: configurationDigest(configuration), roots: namedRoots(roots), policies };
  try {
    return opened.add(await DecisionLog.open(parts, started));
  } catch (cause) {
    throw notUsable(cause);
  }
}

function copyOf({ decisions: { copy } }: Configuration, log: Log): RecordCopy | null {
  if (copy === 'off') return null;
  return copy === 'stdout' ? new RecordCopy(toStandardOutput, log) : RecordCopy.toFile(copy, log);
}

function toStandardOutput(lines: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(lines, (error) => (error == null ? resolve() : reject(error)));
  });
}

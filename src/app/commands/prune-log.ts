import { randomUUID } from 'node:crypto';
import { UsageError } from '../../cli/input.js';
import type { Configuration } from '../../config/configuration.js';
import { configurationDigest } from '../../config/effective-configuration.js';
import { type LogStore, StoreUnavailableError } from '../../core/decision-log.js';
import type { Clock, Log } from '../../core/ports.js';
import { DecisionLog } from '../../log/decision-log.js';
import type { HeadSigner } from '../../log/heads.js';
import type { KeyVaults } from '../../release/vault/open-key-vaults.js';
import { openReceiptVaults } from '../receipt-vaults.js';
import { ReloadedReceiptKeys } from '../reload/receipt-keys.js';
import { productVersion, SYSTEM_CLOCK } from '../system.js';
import { commandLineLog } from './command-line-io.js';
import { writingLog } from './open-log.js';

const NO_SIGNER: HeadSigner = { sign: async () => null, keys: () => [] };

/**
 * Drops content of decisions that are dated before a time, and records this in a chain of its own. A service may be
 * running.
 *
 * @returns the number of decisions
 * @throws {UsageError} if the store has no file, or if the log is signed and the configuration has no receipt key
 * @throws {StoreUnavailableError} if the store cannot be written, or the record of the drop cannot be signed
 */
export async function pruneLog(configuration: Configuration, before: Date): Promise<number> {
  const options = { clock: SYSTEM_CLOCK, log: commandLineLog() };
  const vaults = await openReceiptVaults(configuration, options);
  try {
    return await writingLog(configuration, (store) => pruneIn(store, before, configuration, { ...options, vaults }));
  } finally {
    await vaults?.close();
  }
}

interface PruneOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly vaults: KeyVaults | null;
}

async function pruneIn(
  store: LogStore,
  before: Date,
  configuration: Configuration,
  { vaults, ...options }: PruneOptions,
): Promise<number> {
  const isEphemeral = configuration.receipts.key === 'ephemeral';
  if (isEphemeral) await requireUnsigned(store);
  const signer = isEphemeral
    ? NO_SIGNER
    : (await ReloadedReceiptKeys.open(configuration, { ...options, vaults })).headSigner;
  const decisionLog = await DecisionLog.open(
    {
      ...options,
      isClockInDoubt: () => false,
      store,
      chain: randomUUID(),
      version: await productVersion(),
      signer,
      copy: null,
      retentionMs: 0,
      onDropped: () => {},
    },
    { configuration: configurationDigest(configuration), command: 'decisions prune' },
  );
  const dropped = await decisionLog.prune(before);
  await decisionLog.close();
  if (dropped === null) throw new StoreUnavailableError('nothing more was dropped: the record of it was not signed');
  return dropped;
}

/** A signed chain needs a signed record of dropped content. @throws {UsageError} */
async function requireUnsigned(store: LogStore): Promise<void> {
  for (const { chain } of await store.chains()) {
    const heads = await store.heads(chain, 0, Number.MAX_SAFE_INTEGER);
    if (heads.length === 0) continue;
    throw new UsageError([
      'receipts.key: is ephemeral, and the log is signed: decisions verify would find content_missing',
      'name the configuration of the service with --config',
    ]);
  }
}

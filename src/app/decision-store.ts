import { randomUUID } from 'node:crypto';
import { type Configuration, isFileStore } from '../config/configuration.js';
import { configurationDigest } from '../config/effective-configuration.js';
import { redisStoreOf, sharedChallenges } from '../config/redis-store.js';
import type { ChallengeStore } from '../core/challenge.js';
import { type LogStore, StoreUnavailableError } from '../core/decision-log.js';
import { ConfigurationError } from '../core/errors.js';
import type { JsonObject } from '../core/json.js';
import type { Clock, Log } from '../core/ports.js';
import { DecisionLog } from '../log/decision-log.js';
import type { HeadSigner } from '../log/heads.js';
import { RecordCopy } from '../log/record-copy.js';
import { MemoryChallengeStore } from '../stores/memory-challenge-store.js';
import { SqliteChallengeStore } from '../stores/sqlite/sqlite-challenge-store.js';
import { SqliteStore } from '../stores/sqlite/sqlite-store.js';
import type { OpenParts } from './open-parts.js';
import { openSharedChallenges, openSharedDecisions } from './redis-stores.js';
import { type ConfiguredRoots, namedRoots } from './reload/configured-roots.js';

const DAY_MS = 86_400_000;

/** Where decisions are stored, and challenges with them. */
export interface OpenStores {
  /** Null: decisions are not stored. */
  readonly decisions: LogStore | null;
  readonly challenges: ChallengeStore;
}

interface StoresWorld {
  readonly clock: Clock;
  readonly log: Log;
  /** The MAC key of challenges. */
  readonly key: Uint8Array;
  readonly storeTimeoutMs?: number;
}

/** @throws {ConfigurationError} where a store cannot be used */
export async function openStores(
  configuration: Configuration,
  { clock, log, ...world }: StoresWorld,
  opened: OpenParts,
): Promise<OpenStores> {
  const { decisions, challenges } = configuration;
  const path = isFileStore(decisions.store) ? decisions.store : null;
  const file = path === null ? null : opened.add(await usable(() => SqliteStore.open(path)));
  const shared = redisStoreOf(decisions.store);
  const inRedis = shared === null ? null : opened.add(await openSharedDecisions(shared, { clock, log, ...world }));
  if (file === null && inRedis === null) log.warn({}, 'decisions are not stored: decisions.store is off');
  return { decisions: file ?? inRedis, challenges: await openChallenges() };

  async function openChallenges(): Promise<ChallengeStore> {
    const ofReplicas = sharedChallenges(configuration);
    if (ofReplicas !== null) return opened.add(await openSharedChallenges(ofReplicas, { clock, log, ...world }));
    if (file !== null && challenges.store === null)
      return usable(() => SqliteChallengeStore.open(file, world.key, clock));
    return openMemory(clock, log, opened);
  }
}

async function usable<T>(open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (cause) {
    throw notUsable(cause);
  }
}

function notUsable(cause: unknown): unknown {
  if (!(cause instanceof StoreUnavailableError)) return cause;
  return new ConfigurationError([{ path: ['decisions', 'store'], what: cause.message }], { cause });
}

/** Challenges are lost when the process ends. The log says so at start and at the end. */
function openMemory(clock: Clock, log: Log, opened: OpenParts): MemoryChallengeStore {
  const store = new MemoryChallengeStore(clock);
  log.info(
    { store: 'memory' },
    'challenges are kept in memory: those issued with this key before this start count as used',
  );
  opened.add({
    close: async () => {
      const { outstanding } = store;
      if (outstanding > 0) log.warn({ outstanding }, 'challenges in memory are lost with this process');
      await store.close();
    },
  });
  return store;
}

/** The dependencies of the decision log of a process. */
export interface DecisionLogWorld {
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

/** @throws {ConfigurationError} where the store does not take the first record */
export async function openDecisionLog(
  store: LogStore,
  configuration: Configuration,
  { policies, roots, ...world }: DecisionLogWorld,
  opened: OpenParts,
): Promise<DecisionLog> {
  const parts = {
    ...world,
    store,
    chain: randomUUID(),
    copy: copyOf(configuration, world.log),
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

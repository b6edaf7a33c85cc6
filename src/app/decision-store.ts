import type { Configuration } from '../config/configuration.js';
import { sqliteFileOf } from '../config/stores.js';
import type { ChallengeStore } from '../core/challenge.js';
import { type LogStore, StoreUnavailableError } from '../core/decision-log.js';
import { ConfigurationError, messageOf } from '../core/errors.js';
import type { ProofStore } from '../core/gate.js';
import { CHALLENGE_STORE_TIMEOUT_MS } from '../judge/challenges.js';
import type { ReadinessCheck } from '../judge/health.js';
import type { PostgresServer } from '../stores/postgres/connection.js';
import { PostgresChallengeStore } from '../stores/postgres/postgres-challenge-store.js';
import { PostgresLogStore } from '../stores/postgres/postgres-log-store.js';
import { PostgresProofStore } from '../stores/postgres/postgres-proof-store.js';
import { ownsTables } from '../stores/postgres/schema.js';
import { SqliteChallengeStore } from '../stores/sqlite/sqlite-challenge-store.js';
import { SqliteProofStore } from '../stores/sqlite/sqlite-proof-store.js';
import { SqliteStore } from '../stores/sqlite/sqlite-store.js';
import type { OpenParts } from './open-parts.js';
import type { PostgresOptions } from './postgres-server.js';
import { storeClockCheck } from './store-clock.js';

const OWNER_TIMEOUT_MS = 5000;
const OWNER =
  'stores.url: its role can act as the owner of the tables, and so delete and change decisions: log in as another role, which veritee stores migrate --service names';

/** The open stores of a service. */
export interface OpenStores {
  /** Null: decisions are not stored. */
  readonly decisions: LogStore | null;
  readonly challenges: ChallengeStore;
  /** Used proofs of gates. */
  readonly proofs: ProofStore;
  /** Null: the stores use the clock of this process. */
  readonly clockCheck: ReadinessCheck | null;
}

interface StoresOptions extends PostgresOptions {
  /** The MAC key of challenges. */
  readonly key: Uint8Array;
  readonly storeTimeoutMs?: number | undefined;
  /** The configured database; null if the configuration names a file. */
  readonly database: PostgresServer | null;
}

/** @throws {ConfigurationError} if a store cannot be used */
export async function openStores(
  configuration: Configuration,
  options: StoresOptions,
  opened: OpenParts,
): Promise<OpenStores> {
  const file = sqliteFileOf(configuration);
  const { database } = options;
  if (configuration.decisions.log === 'off') options.log.warn({}, 'decisions are not stored: decisions.log is off');
  if (file !== null) return openFile(configuration, file, options, opened);
  if (database === null) throw new Error('stores.url has an unsupported scheme');
  return openShared(configuration, database, options);
}

async function openFile(
  { challenges, decisions }: Configuration,
  file: string,
  { key, clock, log }: StoresOptions,
  opened: OpenParts,
): Promise<OpenStores> {
  try {
    const store = opened.add(await SqliteStore.open(file));
    const lifetimeMs = challenges.lifetimeSeconds * 1000;
    const ofChallenges = await SqliteChallengeStore.open(store, { key, clock, lifetimeMs });
    log.info({ store: 'sqlite' }, 'stores are open: challenges that were issued before are void');
    return {
      decisions: decisions.log === 'on' ? store : null,
      challenges: ofChallenges,
      proofs: new SqliteProofStore(store, clock),
      clockCheck: null,
    };
  } catch (cause) {
    throw notUsable(cause);
  }
}

async function openShared(
  configuration: Configuration,
  server: PostgresServer,
  options: StoresOptions,
): Promise<OpenStores> {
  const { key, clock, log, storeTimeoutMs, storeTimeoutMs: timeoutMs = CHALLENGE_STORE_TIMEOUT_MS } = options;
  const lifetimeMs = configuration.challenges.lifetimeSeconds * 1000;
  const [challenges, proofs, isOwner] = await Promise.all([
    PostgresChallengeStore.open({ server, key, clock, lifetimeMs, timeoutMs }),
    PostgresProofStore.open({ server, clock, timeoutMs }),
    server.reads.use({ timeoutMs: OWNER_TIMEOUT_MS }, ownsTables),
  ]).catch((cause) => {
    throw new ConfigurationError([{ path: ['stores', 'url'], what: `cannot be used: ${messageOf(cause)}` }], { cause });
  });
  if (isOwner) log.warn({ store: 'postgres' }, OWNER);
  log.info(
    { store: 'postgres' },
    'stores are open: a restart or failover of the database voids outstanding challenges',
  );
  return {
    decisions: configuration.decisions.log === 'on' ? new PostgresLogStore(server, { appendMs: storeTimeoutMs }) : null,
    challenges,
    proofs,
    clockCheck: storeClockCheck(server, clock, log),
  };
}

/** A store that fails at the start is a fault of the configuration. */
export function notUsable(cause: unknown): unknown {
  if (!(cause instanceof StoreUnavailableError)) return cause;
  return new ConfigurationError([{ path: ['stores', 'url'], what: cause.message }], { cause });
}

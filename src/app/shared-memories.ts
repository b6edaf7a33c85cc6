import type { Configuration } from '../config/configuration.js';
import { postgresAddressOf } from '../config/stores.js';
import { messageOf } from '../core/errors.js';
import type { SharedMarks } from '../core/shared-marks.js';
import type { ResetMemory } from '../core/vtpm-resets.js';
import { CHALLENGE_STORE_TIMEOUT_MS } from '../judge/challenges.js';
import type { PostgresServer } from '../stores/postgres/connection.js';
import { PostgresMarks, type PostgresMarksOptions } from '../stores/postgres/postgres-marks.js';
import { PostgresResetMemory } from '../stores/postgres/postgres-reset-store.js';
import type { OpenParts } from './open-parts.js';
import { openPostgres, type PostgresOptions } from './postgres-server.js';

/** Memories that replicas share, in addition to their own. */
export interface SharedMemories {
  /** Reset counts of the vTPMs of a tenant. */
  readonly resets: (tenant: string) => ResetMemory;
  readonly marks: SharedMarks;
}

interface MemoriesOptions extends PostgresOptions {
  /** Timeout of a store. */
  readonly storeTimeoutMs?: number | undefined;
}

/** Opens the database that replicas share, and the memories in it. Writes nothing yet. Null if replicas share none. */
export async function openDatabase(configuration: Configuration, options: MemoriesOptions, opened: OpenParts) {
  const address = postgresAddressOf(configuration);
  if (address === null) return { server: null, shared: null };
  const server = await openPostgres(configuration, address, options, opened);
  return { server, shared: sharedMemories(server, options) };
}

function sharedMemories(
  server: PostgresMarksOptions['server'],
  { clock, log, storeTimeoutMs: timeoutMs = CHALLENGE_STORE_TIMEOUT_MS }: MemoriesOptions,
): SharedMemories {
  return {
    resets: (tenant) => new PostgresResetMemory({ server, tenant, log, timeoutMs }),
    marks: new PostgresMarks({ server, clock, log, timeoutMs }),
  };
}

/**
 * The shared memories for a command. Opens the database at the first query, since most commands need none. If it cannot
 * be opened, every query fails. Null if replicas share none.
 */
export function memoriesOfCommand(
  configuration: Configuration,
  options: MemoriesOptions,
  opened: OpenParts,
): SharedMemories | null {
  const address = postgresAddressOf(configuration);
  if (address === null) return null;
  let server: Promise<PostgresServer> | null = null;
  const open = () => {
    server ??= openPostgres(configuration, address, options, opened, { startLimitMs: 0 }).catch((cause: unknown) => {
      // Converts every error: none means that stored data is damaged.
      throw new Error(messageOf(cause), { cause });
    });
    return server;
  };
  // A command ends before a loss could matter.
  const onDemand: PostgresMarksOptions['server'] = {
    losses: 0,
    challenges: { use: async (options, work) => (await open()).challenges.use(options, work) },
  };
  return sharedMemories(onDemand, options);
}

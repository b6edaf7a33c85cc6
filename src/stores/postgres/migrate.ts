import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, UnfitError } from '../../core/errors.js';
import { GRANTS, MIGRATIONS, SCHEMA_VERSION, schemaVersion } from './schema.js';
import type { Session } from './session.js';
import type { Sessions } from './sessions.js';
import { SCHEMA_NAME } from './settings.js';

export interface MigrateOptions {
  /** The login role of the service. */
  readonly serviceRole: string;
  /** Longest wait for tables that others use. */
  readonly limitMs: number;
}

export interface Migrated {
  /** Null: there was no schema. */
  readonly from: number | null;
  readonly to: number;
}

/** Key of the advisory lock, only for migrations: the bytes of "veritee". */
const LOCK = 0x76657269746565n;
/** A table change that waits blocks all readers, so it gives up soon and tries again. */
const LOCK_TIMEOUT_MS = 50;
const PAUSE_MS = 200;
const TRANSACTION_TIMEOUT_MS = 600_000;

const LOCKED = 'another session holds a lock on its tables: end that session, which pg_locks names, or try again later';

/** Another session has the lock, or two sessions deadlock. */
const TRY_AGAIN: readonly string[] = ['55P03', '40P01'];
const NO_RIGHT = '42501';

/**
 * Migrates the schema to the version of this service, as its owner, and grants the service role its privileges. If several processes
 * start it at once, one does it.
 *
 * @throws {UnfitError} if the schema is newer or has another owner, or the role does not exist or can act as the owner
 * @throws {Error} if other sessions hold a lock until the limit
 */
export async function migrate(sessions: Sessions, options: MigrateOptions): Promise<Migrated> {
  const limit = performance.now() + options.limitMs;
  for (;;) {
    try {
      return await sessions.transaction({ timeoutMs: TRANSACTION_TIMEOUT_MS }, (session) =>
        migrateOnce(session, options),
      );
    } catch (error) {
      if (hasCode(error, NO_RIGHT)) throw new UnfitError(`${messageOf(error)}: run this as the owner of the database`);
      if (!isBusy(error)) throw error;
      if (performance.now() >= limit) throw new Error(LOCKED, { cause: error });
    }
    await sleep(PAUSE_MS);
  }
}

async function migrateOnce(session: Session, { serviceRole }: MigrateOptions): Promise<Migrated> {
  await session.run(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`);
  await session.rows('SELECT pg_advisory_xact_lock($1)', [LOCK]);
  await requireRole(session, serviceRole);
  const from = await schemaVersion(session);
  if (from !== null && from > SCHEMA_VERSION)
    throw new UnfitError(`its schema has version ${from}, and this service knows ${SCHEMA_VERSION}`);
  await requireOwnSchema(session);
  if (from === null) await createVersion(session);
  for (const statements of MIGRATIONS.slice(from ?? 0)) await session.run(statements);
  await session.run('UPDATE schema_version SET version = $1', [SCHEMA_VERSION]);
  await grant(session, serviceRole);
  return { from, to: SCHEMA_VERSION };
}

async function createVersion(session: Session): Promise<void> {
  await session.run(`
    CREATE SCHEMA IF NOT EXISTS ${SCHEMA_NAME};
    CREATE TABLE schema_version (only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row), version int NOT NULL);
    INSERT INTO schema_version (version) VALUES (0)`);
}

/** The owner of the schema can drop its tables and create others in their place. */
async function requireOwnSchema(session: Session): Promise<void> {
  const [schema] = await session.rows<{ readonly owner: string; readonly own: boolean }>(
    'SELECT pg_get_userbyid(nspowner) AS owner, pg_get_userbyid(nspowner) = current_user AS own FROM pg_namespace WHERE nspname = $1',
    [SCHEMA_NAME],
  );
  if (schema?.own === false)
    throw new UnfitError(
      `the schema ${SCHEMA_NAME} belongs to ${schema.owner}: run this as that role, or drop the schema`,
    );
}

async function requireRole(session: Session, role: string): Promise<void> {
  const found = await session.rows('SELECT 1 FROM pg_roles WHERE rolname = $1', [role]);
  if (found.length === 0)
    throw new UnfitError(`there is no role ${role} for --service: create it first, or name another`);
}

/** The service must not be able to delete or change records, as the owner can. */
async function grant(session: Session, role: string): Promise<void> {
  const [row] = await session.rows<{ readonly name: string; readonly own: boolean }>(
    "SELECT quote_ident($1) AS name, pg_has_role($1, current_user, 'MEMBER') AS own",
    [role],
  );
  if (row === undefined || row.own)
    throw new UnfitError(`the role ${role} of --service can act as the owner, and so delete decisions: name another`);
  const { name } = row;
  await session.run(`
    REVOKE ALL ON ALL TABLES IN SCHEMA ${SCHEMA_NAME} FROM ${name};
    REVOKE ALL ON SCHEMA ${SCHEMA_NAME} FROM PUBLIC, ${name};
    GRANT USAGE ON SCHEMA ${SCHEMA_NAME} TO ${name};
    ${GRANTS.map((each) => `GRANT ${each} TO ${name};`).join('\n')}`);
}

function isBusy(error: unknown): boolean {
  return TRY_AGAIN.some((code) => hasCode(error, code));
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

import { UnfitError } from '../../core/errors.js';
import type { Session } from './session.js';
import { SCHEMA_NAME } from './settings.js';
import { TABLES } from './tables.js';

/** The steps that migrate a database from each version to the next. A released line is never changed. */
export const MIGRATIONS: readonly string[] = [TABLES.map(({ create }) => create).join('\n')];

export const GRANTS: readonly string[] = ['SELECT ON schema_version', ...TABLES.flatMap(({ grants }) => grants)];

/** The version of the schema that this service is written for. It also runs on the next one. */
export const SCHEMA_VERSION = MIGRATIONS.length;

const HOW = 'run veritee stores migrate as the owner of the database';

/**
 * Returns the version of the schema of a database.
 * @throws {UnfitError} if this service does not run on that version
 */
export async function requireSchema(session: Session): Promise<void> {
  const version = await schemaVersion(session);
  if (version === null) throw new UnfitError(`has no schema ${SCHEMA_NAME}: ${HOW}`);
  if (version < SCHEMA_VERSION)
    throw new UnfitError(`its schema has version ${version}, and this service needs ${SCHEMA_VERSION}: ${HOW}`);
  if (version > SCHEMA_VERSION + 1)
    throw new UnfitError(`its schema has version ${version}, and this service knows ${SCHEMA_VERSION}`);
}

/** Whether the role of a session can act as the owner of the tables, who can delete and change records. */
export async function ownsTables(session: Session): Promise<boolean> {
  const [row] = await session.rows<{ readonly own: boolean }>(
    "SELECT pg_has_role(nspowner, 'MEMBER') AS own FROM pg_namespace WHERE nspname = $1",
    [SCHEMA_NAME],
  );
  return row?.own === true;
}

/** Returns null if the database has no schema of this service. */
export async function schemaVersion(session: Session): Promise<number | null> {
  const [there] = await session.rows<{ readonly oid: string | null }>('SELECT to_regclass($1)::text AS oid', [
    `${SCHEMA_NAME}.schema_version`,
  ]);
  if (there === undefined || there.oid === null) return null;
  const [row] = await session.rows<{ readonly version: number }>('SELECT version FROM schema_version');
  return row?.version ?? null;
}

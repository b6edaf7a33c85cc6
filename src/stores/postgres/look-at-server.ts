import { UnfitError } from '../../core/errors.js';
import type { Session } from './session.js';

/** Supported versions of PostgreSQL, by tests or by similarity: the first version, and the first that is too new. */
const [FIRST_VERSION, TOO_NEW_VERSION] = [14, 19];
const VERSION_UNIT = 10_000;

interface ServerRow {
  readonly version: number;
  readonly recovering: boolean;
  readonly fsync: string;
  readonly full_page_writes: string;
  readonly encoding: string;
  readonly now_ms: string;
}

const LOOK = `
  SELECT current_setting('server_version_num')::int AS version, pg_is_in_recovery() AS recovering,
    current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes,
    current_setting('server_encoding') AS encoding,
    (extract(epoch FROM clock_timestamp()) * 1000)::bigint::text AS now_ms`;

/**
 * Checks the server of a new connection, before any other statement.
 *
 * @returns the time of the server, milliseconds since 1970
 * @throws {UnfitError} if the server must not be used; {Error} if the condition may pass
 */
export async function lookAtServer(session: Session): Promise<number> {
  const [row] = await session.rows<ServerRow>(LOOK);
  if (row === undefined) throw new Error('the server did not report its version');
  const major = Math.floor(row.version / VERSION_UNIT);
  if (major < FIRST_VERSION || major >= TOO_NEW_VERSION)
    throw new UnfitError(`is PostgreSQL ${major}, and has to be ${FIRST_VERSION} to ${TOO_NEW_VERSION - 1}`);
  for (const setting of ['fsync', 'full_page_writes'] as const) {
    if (row[setting] !== 'on')
      throw new UnfitError(`${setting} is ${row[setting]}: what it stored may be lost in a crash`);
  }
  // A character without equivalent is a statement error: any caller could then make the store fail with an audience.
  if (row.encoding !== 'UTF8')
    throw new UnfitError(`the encoding of the database is ${row.encoding}, and has to be UTF8`);
  // A standby lags behind and may be promoted: its record of a challenge may predate the use.
  if (row.recovering) throw new Error('is in recovery, so it is a standby, or still starts');
  return Number(row.now_ms);
}

import type { ClientConfig } from 'pg';

/** Where the database is, and how to get in. */
export interface PostgresSettings {
  /** A name, an address, or the folder of a socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** Asked for each connection: a file may have changed, a token may have ended. Null: the server must not ask for one. */
  readonly password: (() => Promise<string>) | null;
  /**
   * Null: plain TCP or a socket. Else the name of the server is always checked. `ca`: authorities in PEM, asked for each connection too;
   * null: those of Node.js.
   */
  readonly tls: { readonly ca: (() => Promise<string>) | null } | null;
}

/** The schema that all tables are in. */
export const SCHEMA_NAME = 'veritee';

/**
 * What holds for each session, whatever the settings of the role are. The text is never empty: pg would take `PGOPTIONS` instead.
 * A notice during COMMIT must arrive, so its level is set.
 */
const SESSION_OPTIONS = [
  ['default_transaction_isolation', 'read\\ committed'],
  ['default_transaction_read_only', 'off'],
  ['client_min_messages', 'warning'],
  ['search_path', SCHEMA_NAME],
  ['synchronous_commit', 'on'],
  // The longest that anybody waits. A backend that waits for a lock does not notice that its client left.
  ['statement_timeout', '5000'],
  ['bytea_output', 'hex'],
  ['DateStyle', 'ISO'],
  ['TimeZone', 'UTC'],
]
  .map(([name, value]) => `-c ${name}=${value}`)
  .join(' ');

/**
 * Every member that pg would otherwise fill from `PG*` variables or from the account of the process. The values are such that pg
 * takes none of them for left out.
 */
export async function clientConfig(settings: PostgresSettings, connectTimeoutMs: number): Promise<ClientConfig> {
  const { host, port, database, user, tls } = settings;
  const ca = (await tls?.ca?.()) ?? undefined;
  const members = {
    host,
    port,
    database,
    user,
    // A function, since pg looks for a password file where there is no value.
    password: settings.password ?? noPassword,
    ssl: tls === null ? false : { rejectUnauthorized: true, minVersion: 'TLSv1.2' as const, ca },
    sslnegotiation: 'postgres' as const,
    options: SESSION_OPTIONS,
    application_name: 'veritee',
    client_encoding: 'UTF8',
    replication: 'false',
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  };
  return members;
}

async function noPassword(): Promise<string> {
  throw new Error('the server asks for a password, and stores has neither passwordFile nor credential');
}

/** For messages. */
export function addressOf({ host, port }: Pick<PostgresSettings, 'host' | 'port'>): string {
  if (host.startsWith('/')) return `${host}/.s.PGSQL.${port}`;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

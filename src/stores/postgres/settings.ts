import type { ClientConfig } from 'pg';

/** Address and credentials of the database. */
export interface PostgresSettings {
  /** A name, an address, or the folder of a socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** Called for each connection: a file may have changed, a token may have expired. Null: the server must not request a password. */
  readonly password: (() => Promise<string>) | null;
  /**
   * Null: plain TCP or a socket. Otherwise the name of the server is always verified. `ca`: authorities in PEM, also read for each
   * connection; null: the authorities of Node.js.
   */
  readonly tls: { readonly ca: (() => Promise<string>) | null } | null;
}

/** The schema that all tables are in. */
export const SCHEMA_NAME = 'veritee';

/**
 * Settings of each session, which override those of the role. The text is never empty: pg would use `PGOPTIONS` instead.
 * A notice during COMMIT must arrive, so its level is set.
 */
const SESSION_OPTIONS = [
  ['default_transaction_isolation', 'read\\ committed'],
  ['default_transaction_read_only', 'off'],
  ['client_min_messages', 'warning'],
  ['search_path', SCHEMA_NAME],
  ['synchronous_commit', 'on'],
  // The longest wait of any caller. A backend that waits for a lock does not notice that its client left.
  ['statement_timeout', '5000'],
  ['bytea_output', 'hex'],
  ['DateStyle', 'ISO'],
  ['TimeZone', 'UTC'],
]
  .map(([name, value]) => `-c ${name}=${value}`)
  .join(' ');

/**
 * Sets every member that pg would otherwise take from `PG*` variables or from the account of the process. pg treats none of these
 * values as absent.
 */
export async function clientConfig(settings: PostgresSettings, connectTimeoutMs: number): Promise<ClientConfig> {
  const { host, port, database, user, tls } = settings;
  const ca = (await tls?.ca?.()) ?? undefined;
  const members = {
    host,
    port,
    database,
    user,
    // A function, since pg reads a password file if there is no value.
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

/** Formats the address for messages. */
export function addressOf({ host, port }: Pick<PostgresSettings, 'host' | 'port'>): string {
  if (host.startsWith('/')) return `${host}/.s.PGSQL.${port}`;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

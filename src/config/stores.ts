import { dirname } from 'node:path';
import { optional, orNull, type Place, type Read, refined } from '../schema/schema.js';
import { section } from '../schema/structures.js';
import { integer, text } from '../schema/values.js';
import { azureIdentity } from './azure-identity.js';
import { isLoopbackHost, path } from './values.js';

const DEFAULT_FILE = './data/veritee.db';
const DEFAULT_CONNECTIONS = 8;
const DEFAULT_PORT = 5432;

const SQLITE = 'sqlite:';
const POSTGRES = /^postgres:\/\/([^\s:@/?#\\]+)@(\[[0-9A-Fa-f:.]+\]|[^\s:@/?#\\[\]]+)(?::(\d{1,5}))?\/([^\s/?#\\]+)$/;
const FORMS = 'sqlite: and a path, or postgres://user@host:port/database';

/** A SQLite file must have a name. */
const NO_FILES: readonly string[] = ['', ':memory:'];

const url = refined(text(FORMS), (raw, at) => {
  if (raw.startsWith(SQLITE)) return isFile(raw.slice(SQLITE.length)) ? raw : at.refuse(`must be ${FORMS}`);
  if (addressIn(raw) !== null) return raw;
  return at.refuse(
    raw.includes('://')
      ? `must be ${FORMS}, without a query, nor a password, which is in stores.passwordFile`
      : `must be ${FORMS}`,
  );
});

/** The store of decisions, challenges and other persistent state. */
export const stores = section({
  url: optional(url, `${SQLITE}${DEFAULT_FILE}`),
  /** Connections of each process to PostgreSQL. */
  connections: optional(integer(4, 64), DEFAULT_CONNECTIONS),
  /** File with the password. */
  passwordFile: orNull(path()),
  /** The identity whose access token is the password. */
  credential: orNull(azureIdentity),
  /** PEM file of the authorities for the certificate of the server. */
  ca: orNull(path()),
});
export type StoresConfiguration = Read<typeof stores>;

/** A configuration with stores. */
export interface WithStores {
  readonly stores: StoresConfiguration;
}

/** The address of a database. */
export interface PostgresAddress {
  readonly user: string;
  /** A name, an address, or the folder of a socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
}

/** The file of SQLite; null for another store. */
export function sqliteFileOf({ stores: { url } }: WithStores): string | null {
  return url.startsWith(SQLITE) ? url.slice(SQLITE.length) : null;
}

/** The address of PostgreSQL; null for another store. */
export function postgresAddressOf({ stores: { url } }: WithStores): PostgresAddress | null {
  return addressIn(url);
}

/** Whether connections use TLS: always, except on this machine without a configured authority. */
export function usesTls({ host }: PostgresAddress, { ca }: StoresConfiguration): boolean {
  return ca !== null || !(host.startsWith('/') || isLoopbackHost(host));
}

/** The data directory of the service: the folder of the SQLite file, or the default. */
export function dataDirectory(configuration: WithStores): string {
  return dirname(sqliteFileOf(configuration) ?? DEFAULT_FILE);
}

/** Clouds of Azure: domains of their servers, and the scope of access tokens for them. */
const CLOUDS: readonly (readonly [domain: string, scope: string])[] = [
  ['postgres.database.azure.com', 'https://ossrdbms-aad.database.windows.net/.default'],
  ['postgres.database.usgovcloudapi.net', 'https://ossrdbms-aad.database.usgovcloudapi.net/.default'],
  ['postgres.database.chinacloudapi.cn', 'https://ossrdbms-aad.database.chinacloudapi.cn/.default'],
];

/** The scope of access tokens for a server; null outside the known clouds. */
export function tokenScopeOf({ host }: PostgresAddress): string | null {
  return CLOUDS.find(([domain]) => host.toLowerCase().endsWith(`.${domain}`))?.[1] ?? null;
}

/** Rejects contradictions between values that are valid by themselves. */
export function checkStores(
  configuration: WithStores & { readonly challenges: { readonly key: string | null } },
  at: Place,
): void {
  const { stores, challenges } = configuration;
  const address = postgresAddressOf(configuration);
  if (address === null) {
    for (const name of ['passwordFile', 'credential', 'ca'] as const) {
      if (stores[name] !== null) at.member('stores', name).refuse('is for postgres://');
    }
    return;
  }
  // With separate keys, each replica would take challenges of the others for nonces of the caller.
  if (challenges.key === null)
    at.member('challenges', 'key').refuse('is missing: replicas that share a store share it');
  checkEntry(stores, address, at.member('stores'));
}

function checkEntry({ passwordFile, credential, ca }: StoresConfiguration, address: PostgresAddress, at: Place): void {
  if (passwordFile !== null && credential !== null) at.member('credential').refuse('there is a passwordFile too');
  if (credential !== null && tokenScopeOf(address) === null) {
    const known = CLOUDS.map(([domain]) => `.${domain}`).join(', ');
    at.member('credential').refuse(`is for servers of Azure, whose names end in ${known}`);
  }
  if (ca !== null && address.host.startsWith('/')) at.member('ca').refuse('stores.url is a socket, which has no TLS');
}

function isFile(path: string): boolean {
  return !NO_FILES.includes(path) && !path.startsWith('//');
}

function addressIn(raw: string): PostgresAddress | null {
  const [, user, host, port, database] = POSTGRES.exec(raw) ?? [];
  if (user === undefined || host === undefined || database === undefined) return null;
  const number = port === undefined ? DEFAULT_PORT : Number(port);
  if (number < 1 || number > 65_535) return null;
  try {
    const named = decodeURIComponent(host).replace(/^\[(.*)\]$/, '$1');
    return { user: decodeURIComponent(user), host: named, port: number, database: decodeURIComponent(database) };
  } catch {
    return null;
  }
}

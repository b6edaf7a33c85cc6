import type { Configuration } from '../config/configuration.js';
import type { Environment } from '../config/environment.js';
import { type PostgresAddress, tokenScopeOf, usesTls } from '../config/stores.js';
import { ConfigurationError, messageOf, UnfitError } from '../core/errors.js';
import { fileProblem } from '../core/file-problem.js';
import type { Clock, Log } from '../core/ports.js';
import { CREDENTIAL_TIMEOUT_MS, openCredential } from '../outside/azure-identity/open-credential.js';
import type { ConnectOptions } from '../outside/bounded-agent.js';
import { DEFAULT_BREAKER } from '../outside/origin-breaker.js';
import type { OriginObserver } from '../outside/outages.js';
import { readSecret } from '../outside/secret-file.js';
import { type OpenPostgresOptions, PostgresServer } from '../stores/postgres/connection.js';
import { requireSchema } from '../stores/postgres/schema.js';
import type { PostgresSettings } from '../stores/postgres/settings.js';
import type { OpenParts } from './open-parts.js';
import { readServerAuthorities } from './tls-material.js';

export interface PostgresOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** For the identity that gets access tokens. The database itself is contacted directly. */
  readonly connect?: ConnectOptions | undefined;
  readonly observer?: OriginObserver | undefined;
}

type Tuning = Partial<Pick<OpenPostgresOptions, 'startLimitMs' | 'admit' | 'connections'>>;

/**
 * Opens the database of a configuration.
 * @throws {ConfigurationError} if it does not answer, or must not be used
 */
export async function openPostgres(
  configuration: Configuration,
  address: PostgresAddress,
  given: PostgresOptions,
  opened: OpenParts,
  tuning: Tuning = {},
): Promise<PostgresServer> {
  const password = await databasePassword(configuration, address, given, opened);
  try {
    const settings = settingsOf(configuration, address, password);
    const { connections } = configuration.stores;
    const server = await PostgresServer.open({ settings, connections, admit: requireSchema, ...given, ...tuning });
    return opened.add(server);
  } catch (cause) {
    throw new ConfigurationError([{ path: ['stores', 'url'], what: `cannot be used: ${messageOf(cause)}` }], { cause });
  }
}

function settingsOf(
  { stores }: Configuration,
  address: PostgresAddress,
  password: PostgresSettings['password'],
): PostgresSettings {
  const { ca } = stores;
  const tls = usesTls(address, stores) ? { ca: ca === null ? null : () => readServerAuthorities(ca) } : null;
  return { ...address, password, tls };
}

/**
 * Returns a function that gets the password for each new connection; null if no password is configured. Contacts no
 * service before the first connection.
 */
export async function databasePassword(
  { stores }: Configuration,
  address: PostgresAddress,
  given: PostgresOptions,
  opened: OpenParts,
  environment: Environment = process.env,
): Promise<PostgresSettings['password']> {
  const { passwordFile, credential: identity } = stores;
  if (passwordFile !== null) return () => readPassword(passwordFile);
  const scope = tokenScopeOf(address);
  if (identity === null || scope === null) return null;
  const options = { ...given, identity, environment, scope, health: DEFAULT_BREAKER, timeoutMs: CREDENTIAL_TIMEOUT_MS };
  const credential = opened.add(await openCredential(options));
  return () => credential.token(AbortSignal.timeout(CREDENTIAL_TIMEOUT_MS));
}

async function readPassword(file: string): Promise<string> {
  const password = await readSecret(file).catch((error: unknown) => {
    throw new UnfitError(`stores.passwordFile: ${file}: ${fileProblem(error)}`);
  });
  if (password === '') throw new UnfitError(`stores.passwordFile: ${file}: is empty`);
  return password;
}

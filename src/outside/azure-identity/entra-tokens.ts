import type { TokenCredential } from '@azure/identity';
import type {
  AzureIdentity,
  ClientCertificateIdentity,
  ClientSecretIdentity,
  ManagedIdentity,
  WorkloadIdentity,
} from '../../core/azure-identity.js';
import { ConfigurationError } from '../../core/errors.js';
import type { Clock } from '../../core/ports.js';
import type { Exchange } from '../bounded-exchange.js';
import { FetchError } from '../fetch-error.js';
import { readSecret } from '../secret-file.js';
import type { AccessToken, AccessTokenSource } from './azure-credential.js';
import { IDENTITY_HTTP_CLIENT, IdentityTransport } from './identity-transport.js';

type Library = typeof import('@azure/identity');

export interface EntraTokensOptions {
  /** Loading it takes a good part of a second, so it is loaded only if an identity is configured. */
  readonly library: Library;
  readonly identity: CompleteIdentity;
  /** Such as `https://attest.azure.net/.default`. */
  readonly scope: string;
  readonly exchange: Exchange;
  readonly clock: Clock;
}

/** The characters of a bearer token (RFC 6750, 2.1). The expression does not bound the length: that would fill memory. */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;
const TOKEN_LENGTH = 32_768;

/**
 * Gets access tokens of Microsoft Entra ID with the Azure library, for the one configured identity.
 *
 * A new library credential is made for each token. The library would return a cached token until shortly before its expiry,
 * while this service renews earlier. Also, the files of the credential may have been rotated. The library caches tokens of a managed
 * identity beyond that. It renews them at half of their life if that is longer than two hours.
 */
export class EntraTokens implements AccessTokenSource {
  readonly #options: EntraTokensOptions;

  constructor(options: EntraTokensOptions) {
    this.#options = options;
  }

  get name(): string {
    const { identity } = this.#options;
    return identity.kind === 'managed-identity' ? 'managed identity' : identity.authority;
  }

  async obtain(): Promise<AccessToken> {
    const { library, identity, scope, exchange, clock } = this.#options;
    const transport = new IdentityTransport(exchange);
    try {
      const granted = await transport.carry(async () => (await libraryCredential(library, identity)).getToken(scope));
      if (granted !== null && isToken(granted.token) && granted.expiresOnTimestamp > clock.now().getTime()) {
        return { token: granted.token, expiresAtMs: granted.expiresOnTimestamp };
      }
    } catch (error) {
      if (transport.failure !== null) throw transport.failure;
      if (!transport.asked) throw new FetchError('not_allowed', 'the credential cannot be used', { cause: error });
      // The library could not read an answer. Its error may quote the answer.
    }
    throw new FetchError('content_type', 'answered with something other than an access token');
  }

  async close(): Promise<void> {
    await this.#options.exchange.close();
  }
}

async function libraryCredential(azure: Library, identity: CompleteIdentity): Promise<TokenCredential> {
  // The caller of the token decides about retries.
  const options = { httpClient: IDENTITY_HTTP_CLIENT, retryOptions: { maxRetries: 0 } };
  if (identity.kind === 'managed-identity') {
    return new azure.ManagedIdentityCredential({
      ...options,
      ...(identity.clientId === null ? {} : { clientId: identity.clientId }),
    });
  }
  const { tenantId, clientId, authority: authorityHost } = identity;
  // The authority is configured: no other host is asked to confirm it.
  const entra = { ...options, authorityHost, disableInstanceDiscovery: true };
  switch (identity.kind) {
    case 'workload-identity':
      return new azure.WorkloadIdentityCredential({ ...entra, tenantId, clientId, tokenFilePath: identity.tokenFile });
    case 'client-secret':
      return new azure.ClientSecretCredential(tenantId, clientId, await readSecret(identity.secretFile), entra);
    case 'client-certificate':
      return new azure.ClientCertificateCredential(tenantId, clientId, identity.certificateFile, entra);
  }
}

function isToken(text: string): boolean {
  return text.length <= TOKEN_LENGTH && TOKEN.test(text);
}

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** An identity without missing values. */
export type CompleteIdentity =
  | ManagedIdentity
  | WorkloadIdentity<string>
  | ClientSecretIdentity<string>
  | ClientCertificateIdentity<string>;

const PUBLIC_CLOUD = 'https://login.microsoftonline.com';

/**
 * Completes the configuration: with the authority of the public cloud, and for workload identity with variables that the
 * cluster sets. Otherwise `AZURE_AUTHORITY_HOST` is ignored: it would decide which host receives a
 * secret.
 *
 * @throws {ConfigurationError} if neither configuration nor environment has a value
 */
export function completeIdentity(identity: AzureIdentity, environment: Environment): CompleteIdentity {
  switch (identity.kind) {
    case 'managed-identity':
      return identity;
    case 'client-secret':
    case 'client-certificate':
      return { ...identity, authority: identity.authority ?? PUBLIC_CLOUD };
    case 'workload-identity':
      return {
        kind: 'workload-identity',
        tenantId: identity.tenantId ?? required('AZURE_TENANT_ID', environment),
        clientId: identity.clientId ?? required('AZURE_CLIENT_ID', environment),
        tokenFile: identity.tokenFile ?? required('AZURE_FEDERATED_TOKEN_FILE', environment),
        authority: identity.authority ?? authorityOf(environment),
      };
  }
}

function required(name: string, environment: Environment): string {
  const value = environment[name];
  if (value === undefined || value === '') {
    throw new ConfigurationError([`${name}: is missing in the environment, and the credential does not say it`]);
  }
  return value;
}

function authorityOf(environment: Environment): string {
  const named = environment['AZURE_AUTHORITY_HOST'];
  if (named === undefined || named === '') return PUBLIC_CLOUD;
  if (!/^https:\/\/[^/?#@\s]+\/?$/.test(named) || !URL.canParse(named)) {
    throw new ConfigurationError(['AZURE_AUTHORITY_HOST: must be an https URL without user, path, query and fragment']);
  }
  return new URL(named).origin;
}

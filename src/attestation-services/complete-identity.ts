import type {
  AzureIdentity,
  ClientCertificateIdentity,
  ClientSecretIdentity,
  ManagedIdentity,
  WorkloadIdentity,
} from '../model/azure-identity.js';
import { ConfigurationError } from '../model/errors.js';

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** An identity in which nothing is left open. */
export type CompleteIdentity =
  | ManagedIdentity
  | WorkloadIdentity<string>
  | ClientSecretIdentity<string>
  | ClientCertificateIdentity<string>;

const PUBLIC_CLOUD = 'https://login.microsoftonline.com';

/**
 * Fills in what the configuration leaves open: the authority of the public cloud, and for workload identity what the
 * cluster puts into the environment. Elsewhere `AZURE_AUTHORITY_HOST` does not count: it would say where a secret is
 * sent.
 *
 * @throws {ConfigurationError} where neither configuration nor environment says it
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

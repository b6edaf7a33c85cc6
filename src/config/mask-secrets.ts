import type { CallerConfiguration, Configuration } from './configuration.js';

const MASK = '***';

/**
 * A copy to show to people: hashes of API keys, passwords in addresses, and objects that may hold a secret, are masked.
 * Credentials for other services stand in files, whose paths are shown.
 */
export function maskSecrets(configuration: Configuration): object {
  const { challenges, decisions, callers } = configuration;
  return {
    ...configuration,
    challenges: { ...challenges, store: maskUser(challenges.store) },
    decisions: { ...decisions, store: maskUser(decisions.store) },
    callers: Object.fromEntries(Object.entries(callers).map(([name, caller]) => [name, maskCaller(caller)])),
  };
}

function maskCaller(caller: CallerConfiguration): object {
  return {
    ...caller,
    apiKeySha256: masked(caller.apiKeySha256),
    oidc: masked(caller.oidc),
    mtls: masked(caller.mtls),
    kubernetes: masked(caller.kubernetes),
  };
}

function masked(secret: unknown): string | null {
  return secret === null ? null : MASK;
}

function maskUser(address: string): string {
  return address.replace(/^(rediss?:\/\/).*@/, `$1${MASK}@`);
}

import type { AzureIdentity } from '../core/azure-identity.js';
import { RELEASE_ENCS } from '../core/key-release.js';
import { POLICY_ID } from '../core/request.js';
import { optional, orNull, type Read, type Schema } from '../schema/schema.js';
import { byMember, object } from '../schema/structures.js';
import { choice, flag, pattern } from '../schema/values.js';
import { azureIdentity } from './azure-identity.js';
import { path, vaultUrl } from './values.js';

/** The form of names of keys and tenants. */
export const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** The tenant of the key, and the policy that must allow its release. */
const anyKey = {
  policy: pattern(POLICY_ID, 'a policy id'),
  /** Whether the policy may pin neither code nor machine. */
  anyMachine: optional(flag, false),
  tenant: optional(pattern(NAME, 'a name'), 'default'),
};

const MANAGED_IDENTITY: AzureIdentity = { kind: 'managed-identity', clientId: null };

/** A key of Azure Key Vault or Managed HSM, which encrypts it to the bound key. */
const vaultKey = object({
  vault: vaultUrl,
  name: pattern(/^[A-Za-z0-9-]{1,127}$/, 'the name of a key: 1 to 127 letters, digits and hyphens'),
  /** Null: the current version. */
  version: orNull(pattern(/^[0-9a-f]{32}$/, 'the version of a key: 32 digits of hex in lower case')),
  enc: choice(...RELEASE_ENCS),
  /** PEM file with the roots for certificates in the vault's answers. Null: those of Node. */
  roots: orNull(path()),
  /** The identity for the vault. */
  credential: optional(azureIdentity, MANAGED_IDENTITY),
  ...anyKey,
});

/** A key in a file of the operator. The service encrypts its bytes to the bound key. */
const localKey = object({ local: path(), ...anyKey });

/** A releasable key. The member `local` selects its kind. */
export const releasableKey: Schema<ReleasableKeyConfiguration> = byMember('local', localKey, vaultKey);

export type VaultKeyConfiguration = Read<typeof vaultKey>;
export type LocalKeyConfiguration = Read<typeof localKey>;
export type ReleasableKeyConfiguration = VaultKeyConfiguration | LocalKeyConfiguration;

export function isLocalKey(key: ReleasableKeyConfiguration): key is LocalKeyConfiguration {
  return 'local' in key;
}

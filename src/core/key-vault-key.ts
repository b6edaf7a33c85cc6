/** One version of a key in an Azure Key Vault or a Managed HSM (Key Vault object identifiers). */
export interface VaultKeyId {
  /** The URL as configured. */
  readonly url: string;
  /** Host name of the vault, in lower case. */
  readonly host: string;
  readonly name: string;
  readonly version: string;
  /** The scope of an access token for the vault, such as `https://vault.azure.net/.default`. */
  readonly scope: string;
}

/** Domains after the name of a vault: of the public cloud, of China, and of the US government. */
export const VAULT_DOMAINS: readonly string[] = ['azure.net', 'azure.cn', 'usgovcloudapi.net'].flatMap((cloud) => [
  `vault.${cloud}`,
  `managedhsm.${cloud}`,
]);

const DOMAINS = VAULT_DOMAINS.map((domain) => domain.replaceAll('.', '\\.')).join('|');
const VAULT_KEY = new RegExp(`^https://([A-Za-z0-9-]{1,63})\\.(${DOMAINS})/keys/([A-Za-z0-9-]{1,127})/([0-9a-f]{32})$`);

/** Parses the URL of a version of a key; null for any other text. A URL without version names another key after each rotation. */
export function vaultKeyId(url: string): VaultKeyId | null {
  const [, vault = '', domain = '', name = '', version = ''] = VAULT_KEY.exec(url) ?? [];
  if (version === '') return null;
  return { url, host: `${vault}.${domain}`.toLowerCase(), name, version, scope: `https://${domain}/.default` };
}

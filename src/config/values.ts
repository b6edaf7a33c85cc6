import { isIP, isIPv4 } from 'node:net';
import { releasableKey } from '../core/key-release.js';
import { VAULT_DOMAINS, vaultKeyId } from '../core/key-vault-key.js';
import { optional, refined, type Schema } from '../schema/schema.js';
import { list } from '../schema/structures.js';
import { text, textThat } from '../schema/values.js';

/** A path as written. Relative paths are relative to the working directory of the service. */
export function path(what = 'a path'): Schema<string> {
  return text(what);
}

/** A list without duplicates; empty if it is absent. */
export function listed<T>(item: Schema<T>): Schema<readonly T[]> {
  return optional(list(item, 'distinct'), []);
}

/** A source of signed material: the content is verified by itself, so plain http is allowed. */
export const source: Schema<string> = textThat(
  (raw) => isPlainUrl(raw, ['http:', 'https:']),
  'an http or https URL without user, query and fragment',
);

/** A trusted URL: https, or http on the loopback interface. */
export const trustedUrl: Schema<string> = textThat(
  (raw) => isTrustedUrl(raw),
  'an https URL without user, query and fragment',
);

/** Name of an issuer (OpenID Connect Discovery 1.0, 3): relying parties derive the URL of its keys from it. */
export const issuerUrl: Schema<string> = textThat(
  (raw) => isPlainUrl(raw, ['https:']),
  'an https URL without user, query and fragment',
);

/** A trusted URL with only scheme, host and port, written as an origin. */
export const trustedOrigin: Schema<string> = textThat(
  (raw) => isTrustedUrl(raw) && new URL(raw).origin === raw,
  'an https URL without path',
);

/** A trusted URL, or a path. Text with `://` is always a URL. */
export const trustedUrlOrFile: Schema<string> = textThat(
  (raw) => !raw.includes('://') || isTrustedUrl(raw),
  'an https URL or a path',
);

const UNKNOWN_CLOUD = `names no vault of a cloud that is known: the host has to be the name of the vault before one of ${VAULT_DOMAINS.map((domain) => `.${domain}`).join(', ')}, also where a private endpoint answers`;

/** A file, or the URL of a version of a key. Text with `://` is always a URL. */
export const keyFileOrVaultKey: Schema<string> = refined(
  text('a path, or the URL of a version of a Key Vault key'),
  (raw, at) => {
    if (!raw.includes('://') || vaultKeyId(raw) !== null) return raw;
    if (isOfUnknownCloud(raw)) return at.refuse(`${UNKNOWN_CLOUD}; use a file for a key of elsewhere`);
    const form = 'https://NAME.vault.azure.net/keys/NAME/VERSION';
    // The usual mistakes: a key without version.
    return vaultKeyId(`${raw.replace(/\/$/, '')}/${'0'.repeat(32)}`) === null
      ? at.refuse(`must be a path, or the URL of a version of a key in Azure Key Vault or Managed HSM (${form})`)
      : at.refuse(`names no version of the key, and so another key after each rotation there (${form})`);
  },
);

/** The origin of a vault, as Azure's library and the scope of its tokens need it. */
export const vaultUrl: Schema<string> = refined(text('the URL of a vault'), (raw, at) => {
  if (releasableKey(raw, 'k', null) !== null) return raw.replace(/\/$/, '');
  return at.refuse(
    isOfUnknownCloud(raw) ? UNKNOWN_CLOUD : 'must be the URL of a vault, as https://NAME.vault.azure.net',
  );
});

/** An address, or a range in CIDR notation. A range of all addresses is rejected: any client could then forge its own. */
export const addressRange: Schema<string> = textThat(
  (raw) => isAddressRange(raw),
  'an IP address or a range such as 10.0.0.0/8, and not every address',
);

/** A proxy for outgoing connections. Its password is in a file, so no configuration shows it. */
export const proxyUrl: Schema<string> = textThat(
  (raw) => /^https?:\/\/(?:[^\s:@/?#\\]+@)?[^\s@/?#\\]+:\d{1,5}$/.test(raw) && hasSoundUser(raw),
  'http://host:port or https://host:port, with user@ before the host where the proxy wants a password',
);

/** A host that is contacted without a proxy. */
export const unproxiedHost: Schema<string> = textThat(
  (raw) => /^\.?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/i.test(raw) || isAddressRange(raw),
  'a host name, a suffix such as .example.com, an IP address or a range such as 10.0.0.0/8, without a port',
);

function hasSoundUser(raw: string): boolean {
  try {
    return !decodeURIComponent(new URL(raw).username).includes(':');
  } catch {
    return false;
  }
}

/** Whether a host to listen on is reachable only from this machine. Spellings not listed here are not. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

function isOfUnknownCloud(raw: string): boolean {
  if (!URL.canParse(raw)) return false;
  const { protocol, hostname } = new URL(raw);
  return protocol === 'https:' && !VAULT_DOMAINS.some((domain) => hostname.endsWith(`.${domain}`));
}

function isPlainUrl(raw: string, protocols: readonly string[]): boolean {
  if (!URL.canParse(raw) || /[?#\s\\]/.test(raw)) return false;
  const url = new URL(raw);
  return protocols.includes(url.protocol) && url.username === '' && url.password === '' && url.hostname !== '';
}

export function isTrustedUrl(raw: string): boolean {
  if (isPlainUrl(raw, ['https:'])) return true;
  return isPlainUrl(raw, ['http:']) && isLoopbackHost(new URL(raw).hostname.replace(/^\[(.*)\]$/, '$1'));
}

/** Like `isTrustedUrl`, but with an optional query. */
export function isTrustedUrlWithQuery(raw: string): boolean {
  const [place = '', query = ''] = raw.split(/\?(.*)/s);
  return isTrustedUrl(place) && !/[#\s\\]/.test(query);
}

function isAddressRange(raw: string): boolean {
  const [address = '', bits, ...rest] = raw.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  if (bits === undefined) return true;
  return /^[1-9]\d{0,2}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
}

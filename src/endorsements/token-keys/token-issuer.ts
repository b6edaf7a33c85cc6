import { ConfigurationError } from '../../core/errors.js';
import type { TokenType } from '../../core/evidence.js';

export type KeyPlace =
  | {
      /** `https` URL of the key set. */
      readonly url: string;
      /** URL of the OpenID discovery document, which is fetched if the first is not found. It has the same origin. */
      readonly discovery?: string;
    }
  | {
      /** Path of a file with the key set. */
      readonly file: string;
    };

export interface TokenIssuer {
  readonly type: TokenType;
  /** `iss`, character by character. */
  readonly issuer: string;
  readonly keys: KeyPlace;
  /** PEM file of roots for the keys' certificates, and of CRLs; null: the source is trusted. */
  readonly roots: string | null;
}

/** The source of an Azure Attestation provider's keys. The issuer is the provider's own origin. */
export function maaKeyPlace(issuer: string): KeyPlace {
  return { url: `${issuer}/certs`, discovery: `${issuer}/.well-known/openid-configuration` };
}

/** Key of an issuer in a map. */
export function issuerName({ type, issuer }: Pick<TokenIssuer, 'type' | 'issuer'>): string {
  return `${type} ${issuer}`;
}

/** @throws {ConfigurationError} for a duplicate issuer, or keys without a usable source */
export function requireSoundIssuers(issuers: readonly TokenIssuer[]): void {
  const names = issuers.map(issuerName);
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  const problems = [
    ...twice.map((name) => `${name}: is configured twice`),
    ...issuers.flatMap((issuer) => placeProblems(issuer).map((problem) => `${issuerName(issuer)}: ${problem}`)),
  ];
  if (problems.length > 0) throw new ConfigurationError(problems);
}

function placeProblems({ keys }: TokenIssuer): readonly string[] {
  if ('file' in keys) return [];
  const origin = httpsOrigin(keys.url);
  if (origin === null) return ['the location of the keys is not an https URL'];
  const isApart = keys.discovery !== undefined && httpsOrigin(keys.discovery) !== origin;
  return isApart ? ['the discovery document is at another origin than the keys'] : [];
}

/** Origin of an `https` URL without user or password; null for any other text. */
export function httpsOrigin(text: string): string | null {
  if (!URL.canParse(text)) return null;
  const { protocol, username, password, origin } = new URL(text);
  return protocol === 'https:' && username === '' && password === '' ? origin : null;
}

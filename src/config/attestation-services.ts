import { TRUST_AUTHORITY_ISSUERS } from '../core/trust-authority-issuers.js';
import { either, optional, orNull, type Read, refined, whole } from '../schema/schema.js';
import { list, object, section } from '../schema/structures.js';
import { choice, flag, hex, lowerCase, pattern, text, uuid } from '../schema/values.js';
import { azureIdentity } from './azure-identity.js';
import { listed, path, trustedOrigin, trustedUrl, trustedUrlOrFile } from './values.js';

const maaIssuer = object({
  /** Exact text of `iss`. */
  issuer: trustedUrl,
  /** `jwks`: fetched from the issuer; else a file. */
  keys: optional(path('jwks, or a path'), 'jwks'),
  /** Accepted hashes in `x-ms-policy-hash`; null only for built-in shared providers. */
  policyHash: orNull(
    either(
      'any, or a list of SHA-256 hashes in base64url',
      choice('any'),
      list(pattern(/^[A-Za-z0-9_-]{43}$/, 'a SHA-256 in base64url'), 'distinct', 'filled'),
    ),
  ),
  /** SHA-256 of the certificates (DER) that may sign its policy; null: not checked. */
  policySigner: orNull(list(hex(32), 'distinct', 'filled')),
  /** Whether a TEE must vouch for the key of a token. If one does, that is always verified. */
  teeSigner: optional(choice('any', 'required'), 'any'),
});
export type MaaIssuerConfiguration = Read<typeof maaIssuer>;

const REGION_IN_WORDS = 'the abbreviation of a region in lower case, such as weu or eus2';

export const maa = section({
  /** The public shared providers: all, none, or those of some regions. */
  shared: optional(
    either(
      'true, false, or a list of regions',
      flag,
      list(pattern(/^[a-z][a-z0-9]{1,31}$/, REGION_IN_WORDS), 'distinct'),
    ),
    true,
  ),
  issuers: listed(maaIssuer),
  submit: section({
    /** Each one is also an accepted issuer. Empty: evidence never leaves the service. */
    endpoints: listed(trustedOrigin),
    apiVersion: optional(pattern(/^\d{4}-\d{2}-\d{2}(-preview)?$/, 'a version such as 2025-06-01'), '2025-06-01'),
    /** Null: requests have no token. */
    credential: orNull(azureIdentity),
  }),
});
export type MaaConfiguration = Read<typeof maa>;

/** In lower case: Trust Authority and its users write both cases. */
const policyUuid = lowerCase(uuid);

const itaIssuer = object({
  /** Exact text of `iss`. */
  issuer: text(),
  /** URL of the key set, or a file. */
  keys: trustedUrlOrFile,
  /** PEM file that x5c must chain to; null: the origin or file is trusted. */
  roots: orNull(path()),
  /** Ids of policies that every token of this issuer must match. */
  policyIds: listed(policyUuid),
});
export type ItaIssuerConfiguration = Read<typeof itaIssuer>;

const itaSubmit = whole(
  object({
    api: trustedOrigin,
    apiKeyFile: path(),
    /** Policies to verify with. Every Trust Authority token must match them, whatever its source. */
    policyIds: listed(policyUuid),
    /** Whether a token is only issued if all of them match. */
    policyMustMatch: optional(flag, false),
    signingAlgorithm: optional(choice('PS384', 'RS256'), 'PS384'),
  }),
);

const TRUST_AUTHORITIES = TRUST_AUTHORITY_ISSUERS.map(
  ({ issuer, portal }): ItaIssuerConfiguration => ({ issuer, keys: `${portal}/certs`, roots: null, policyIds: [] }),
);

/**
 * A configured issuer replaces the built-in one of its name. The settings for one of two names of a
 * service also apply to the other: the author of `iss` must not choose the requirements on the token.
 */
function withBuiltInAuthorities(given: readonly ItaIssuerConfiguration[]): readonly ItaIssuerConfiguration[] {
  const names = new Set(given.map(({ issuer }) => issuer));
  const others = TRUST_AUTHORITIES.filter(({ issuer }) => !names.has(issuer));
  return [...given, ...others.map((other) => withPinsOf(entriesOfService(given, other), other))];
}

/** Entries with one of the names of a service, or with its keys. */
function entriesOfService(all: readonly ItaIssuerConfiguration[], { issuer, keys }: ItaIssuerConfiguration) {
  const service = addressOf(TRUST_AUTHORITIES.find((one) => one.issuer === issuer)?.keys ?? keys);
  const names = new Set(TRUST_AUTHORITIES.filter((one) => addressOf(one.keys) === service).map((one) => one.issuer));
  return all.filter((entry) => addressOf(entry.keys) === service || names.has(entry.issuer));
}

/** Normalises an address: port and upper case are dropped. A file is its name. */
function addressOf(keys: string): string {
  return URL.canParse(keys) ? new URL(keys).href : keys;
}

/** Merges the requirements of all entries. Keys of another address belong to another service; a file may belong to any. */
function withPinsOf(
  entries: readonly ItaIssuerConfiguration[],
  { issuer, keys }: ItaIssuerConfiguration,
): ItaIssuerConfiguration {
  return {
    issuer,
    keys: entries.find((entry) => !entry.keys.startsWith('https://'))?.keys ?? keys,
    roots: entries.find(({ roots }) => roots !== null)?.roots ?? null,
    policyIds: [...new Set(entries.flatMap(({ policyIds }) => policyIds))],
  };
}

export const ita = section({
  /** The configured issuers, then the built-in ones that the configuration does not name. */
  issuers: optional(refined(list(itaIssuer, 'distinct'), withBuiltInAuthorities), TRUST_AUTHORITIES),
  /** Null: evidence never leaves the service. */
  submit: orNull(itaSubmit),
});
export type ItaConfiguration = Read<typeof ita>;

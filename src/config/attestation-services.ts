import type { AzureIdentity } from '../model/azure-identity.js';
import { isObject } from '../model/json.js';
import { either, optional, orNull, refined, type Schema, whole } from '../schema/schema.js';
import { list, object, section, variants } from '../schema/structures.js';
import { choice, flag, hex, lowerCase, pattern, text, uuid } from '../schema/values.js';
import type {
  ItaConfiguration,
  ItaIssuerConfiguration,
  ItaSubmitConfiguration,
  MaaConfiguration,
  MaaIssuerConfiguration,
} from './configuration.js';
import { listed, path, trustedOrigin, trustedUrl, trustedUrlOrFile } from './values.js';

type OfKind<K extends AzureIdentity['kind']> = Extract<AzureIdentity, { kind: K }>;

const tenant = pattern(/^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})$/, 'the id or the domain of a tenant');
/** The library speaks to https only, and to no path. */
const authority = pattern(/^https:\/\/[A-Za-z0-9.-]+(?::\d{1,5})?$/, 'an https URL without path');

const identities = variants<AzureIdentity>('kind', [
  object<OfKind<'workload-identity'>>({
    kind: choice('workload-identity'),
    tenantId: orNull(tenant),
    clientId: orNull(uuid),
    tokenFile: orNull(path()),
    authority: orNull(authority),
  }),
  object<OfKind<'managed-identity'>>({ kind: choice('managed-identity'), clientId: orNull(uuid) }),
  object<OfKind<'client-secret'>>({
    kind: choice('client-secret'),
    tenantId: tenant,
    clientId: uuid,
    secretFile: path(),
    authority: orNull(authority),
  }),
  object<OfKind<'client-certificate'>>({
    kind: choice('client-certificate'),
    tenantId: tenant,
    clientId: uuid,
    certificateFile: path(),
    authority: orNull(authority),
  }),
]);

/** An identity of this service. A word alone is the identity of that kind of which nothing else is said. */
const azureIdentity: Schema<AzureIdentity> = {
  ...whole(identities),
  read(raw, at) {
    if (typeof raw === 'string') return identities.read({ kind: raw }, at);
    return isObject(raw) ? identities.read(raw, at) : at.refuse('must be an object, or the name of its kind');
  },
};

const maaIssuer = object<MaaIssuerConfiguration>({
  issuer: trustedUrl,
  keys: optional(path('jwks, or a path'), 'jwks'),
  policyHash: orNull(
    either(
      'any, or a list of SHA-256 hashes in base64url',
      choice('any'),
      list(pattern(/^[A-Za-z0-9_-]{43}$/, 'a SHA-256 in base64url'), 'distinct', 'filled'),
    ),
  ),
  policySigner: orNull(list(hex(32), 'distinct', 'filled')),
  teeSigner: optional(choice('any', 'required'), 'any'),
});

const REGION_IN_WORDS = 'the abbreviation of a region in lower case, such as weu or eus2';

export const maa: Schema<MaaConfiguration> = section<MaaConfiguration>({
  shared: optional(
    either(
      'true, false, or a list of regions',
      flag,
      list(pattern(/^[a-z][a-z0-9]{1,15}$/, REGION_IN_WORDS), 'distinct'),
    ),
    true,
  ),
  issuers: listed(maaIssuer),
  submit: section<MaaConfiguration['submit']>({
    endpoints: listed(trustedOrigin),
    apiVersion: optional(pattern(/^\d{4}-\d{2}-\d{2}(-preview)?$/, 'a version such as 2025-06-01'), '2025-06-01'),
    credential: orNull(azureIdentity),
  }),
});

/** In lower case: Trust Authority and its users write them in either. */
const policyUuid = lowerCase(uuid);

const itaIssuer = object<ItaIssuerConfiguration>({
  issuer: text(),
  keys: trustedUrlOrFile,
  roots: orNull(path()),
  policyIds: listed(policyUuid),
});

const itaSubmit: Schema<ItaSubmitConfiguration> = whole(
  object<ItaSubmitConfiguration>({
    api: trustedOrigin,
    apiKeyFile: path(),
    policyIds: listed(policyUuid),
    policyMustMatch: optional(flag, false),
    signingAlgorithm: optional(choice('PS384', 'RS256'), 'PS384'),
  }),
);

/** Tokens name the service, as they did at first, or the portal of their region. */
const TRUST_AUTHORITIES: readonly ItaIssuerConfiguration[] = [
  trustAuthority('Intel Trust Authority', 'https://portal.trustauthority.intel.com'),
  trustAuthority('https://portal.trustauthority.intel.com', 'https://portal.trustauthority.intel.com'),
  trustAuthority('https://portal.eu.trustauthority.intel.com', 'https://portal.eu.trustauthority.intel.com'),
];

function trustAuthority(issuer: string, portal: string): ItaIssuerConfiguration {
  return { issuer, keys: `${portal}/certs`, roots: null, policyIds: [] };
}

/**
 * A configured issuer takes the place of the built-in one of its name. What is configured for one of two names of a
 * service holds for the other too: whoever writes `iss` must not choose what is demanded of the token.
 */
function withBuiltInAuthorities(given: readonly ItaIssuerConfiguration[]): readonly ItaIssuerConfiguration[] {
  const names = new Set(given.map(({ issuer }) => issuer));
  const others = TRUST_AUTHORITIES.filter(({ issuer }) => !names.has(issuer));
  return [...given, ...others.map((other) => withPinsOf(entriesOfService(given, other), other))];
}

/** Entries by one of the names of a service, or with its keys. */
function entriesOfService(all: readonly ItaIssuerConfiguration[], { issuer, keys }: ItaIssuerConfiguration) {
  const service = addressOf(TRUST_AUTHORITIES.find((one) => one.issuer === issuer)?.keys ?? keys);
  const names = new Set(TRUST_AUTHORITIES.filter((one) => addressOf(one.keys) === service).map((one) => one.issuer));
  return all.filter((entry) => addressOf(entry.keys) === service || names.has(entry.issuer));
}

/** However it is written: with its port, or in capitals. A file is its name. */
function addressOf(keys: string): string {
  return URL.canParse(keys) ? new URL(keys).href : keys;
}

/** All that is demanded by any of the entries. Keys of another address are of another service; a file may be of any. */
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

export const ita: Schema<ItaConfiguration> = section<ItaConfiguration>({
  issuers: optional(refined(list(itaIssuer, 'distinct'), withBuiltInAuthorities), TRUST_AUTHORITIES),
  submit: orNull(itaSubmit),
});

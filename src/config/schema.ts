import { ROLES } from '../model/caller.js';
import { SNP_PRODUCTS } from '../model/claims.js';
import { azureIdentity, uuid } from './azure-identity.js';
import type {
  CallerConfiguration,
  Configuration,
  ItaIssuerConfiguration,
  ItaSubmitConfiguration,
  MaaConfiguration,
  MaaIssuerConfiguration,
  ParavisorConfiguration,
  ReleasableKeyConfiguration,
} from './configuration.js';
import { LOG_LEVELS } from './configuration.js';
import { longestEventLog } from './longest-event-log.js';
import type { Setting } from './setting.js';
import { either, entries, isRecord, list, mapped, object, orNull, whole, withDefault } from './setting.js';
import {
  addressRange,
  choice,
  day,
  flag,
  hex,
  instant,
  integer,
  number,
  opaque,
  path,
  pattern,
  source,
  text,
  trustedOrigin,
  trustedUrl,
  trustedUrlOrFile,
} from './values.js';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Bytes of MRTD and ID_KEY_DIGEST, both SHA-384. */
const SHA384_BYTES = 48;
const SHA256_BYTES = 32;
/** Security versions of a paravisor are the lower 16 bits of GUEST_SVN. */
const GUEST_SVN_MAX = 0xffff;

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

const policyId = pattern(/^[a-z0-9][a-z0-9-]{0,63}$/, 'a policy id');
const bytes = (max: number): Setting<number> => integer(KIB, max);
const sourceOrOff = either('off, or an http or https URL without user, query and fragment', choice('off'), source());

const maaIssuer = object<MaaIssuerConfiguration>({
  issuer: trustedUrl(),
  keys: withDefault(path('jwks, or a path'), 'jwks'),
  policyHash: orNull(
    either(
      'any, or a list of SHA-256 hashes in base64url',
      choice('any'),
      list(pattern(/^[A-Za-z0-9_-]{43}$/, 'a SHA-256 in base64url'), { atLeastOne: true }),
    ),
  ),
  policySigner: orNull(list(hex(SHA256_BYTES), { atLeastOne: true })),
  teeSigner: withDefault(choice('any', 'required'), 'any'),
});

const REGION_IN_WORDS = 'the abbreviation of a region in lower case, such as weu or eus2';

const maa = object<MaaConfiguration>({
  shared: withDefault(
    either('true, false, or a list of regions', flag(), list(pattern(/^[a-z][a-z0-9]{1,15}$/, REGION_IN_WORDS))),
    true,
  ),
  issuers: withDefault(list(maaIssuer), []),
  submit: object<MaaConfiguration['submit']>({
    endpoints: withDefault(list(trustedOrigin()), []),
    apiVersion: withDefault(pattern(/^\d{4}-\d{2}-\d{2}(-preview)?$/, 'a version such as 2025-06-01'), '2025-06-01'),
    credential: orNull(azureIdentity()),
  }),
});

/** In lower case: Trust Authority and its users write them in either. */
const policyUuid = mapped(uuid, (id) => id.toLowerCase());

const itaIssuer = object<ItaIssuerConfiguration>({
  issuer: text(),
  keys: trustedUrlOrFile(),
  roots: orNull(path()),
  policyIds: withDefault(list(policyUuid), []),
});

const itaSubmit = whole(
  object<ItaSubmitConfiguration>({
    api: trustedOrigin(),
    apiKeyFile: path(),
    policyIds: withDefault(list(policyUuid), []),
    policyMustMatch: withDefault(flag(), false),
    signingAlgorithm: withDefault(choice('PS384', 'RS256'), 'PS384'),
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

const releasableKey = object<ReleasableKeyConfiguration>({
  vault: trustedUrl(),
  name: pattern(/^[A-Za-z0-9-]{1,127}$/, 'the name of a key'),
  version: orNull(pattern(/^[0-9a-f]{32}$/, 'the version of a key')),
  policy: policyId,
  enc: choice('RSA_AES_KEY_WRAP_384', 'RSA_AES_KEY_WRAP_256', 'CKM_RSA_AES_KEY_WRAP'),
});

const caller = object<CallerConfiguration>({
  apiKeySha256: orNull(hex(SHA256_BYTES)),
  expires: orNull(instant()),
  roles: list(choice(...ROLES), { atLeastOne: true }),
  policies: orNull(list(policyId, { atLeastOne: true })),
  audience: orNull(list(text(), { atLeastOne: true })),
  tenant: withDefault(pattern(NAME, 'a name'), 'default'),
  oidc: orNull(opaque()),
  mtls: orNull(opaque()),
  kubernetes: orNull(opaque()),
});

/** Without prototype, as what is read: no name has a meaning of its own. */
/** Two colons at least make an address of version 6: one alone would be in front of a port. */
const HOST = /^(?:[A-Za-z0-9._-]+|(?=.*:.*:)[A-Fa-f0-9:.]+)$/;

const NO_ENTRIES: Readonly<Record<string, never>> = Object.create(null);

export const DEFAULT_POLICY_DIRECTORY = './policies';
export const DEFAULT_AMD_FOLDER = './endorsements/amd';
export const DEFAULT_INTEL_FOLDER = './endorsements/intel';
export const DEFAULT_DECISION_STORE = './data/veritee.db';
export const DEFAULT_RETENTION_DAYS = 365;
export const DEFAULT_BATCH_BYTES = 16 * MIB;

/** Every key there is, for file and environment. What holds across keys is in consistency.ts. */
export const CONFIGURATION_SCHEMA: Setting<Configuration> = object<Configuration>({
  listen: object<Configuration['listen']>({
    host: withDefault(pattern(HOST, 'a host name or address, without a port'), '127.0.0.1'),
    port: withDefault(integer(0, 65_535), 8080),
    insecure: withDefault(flag(), false),
    tls: object<Configuration['listen']['tls']>({
      cert: orNull(path()),
      key: orNull(path()),
      clientCa: orNull(path()),
    }),
    trustedProxies: withDefault(list(addressRange()), []),
  }),
  policies: object<Configuration['policies']>({
    directory: withDefault(path(), DEFAULT_POLICY_DIRECTORY),
    default: withDefault(policyId, 'azure-cvm-baseline'),
  }),
  historical: withDefault(flag(), false),
  limits: withFittingEventLog(
    object<Configuration['limits']>({
      bodyBytes: withDefault(bytes(64 * MIB), 2 * MIB),
      batchBytes: withDefault(bytes(256 * MIB), DEFAULT_BATCH_BYTES),
      eventLogBytes: withDefault(bytes(64 * MIB), MIB),
    }),
  ),
  deadlineSeconds: withDefault(number(0.1, 120), 5),
  time: object<Configuration['time']>({ tokenLeewaySeconds: withDefault(integer(0, 300), 60) }),
  amd: object<Configuration['amd']>({
    kds: withDefault(sourceOrOff, 'https://kdsintf.amd.com'),
    chains: withDefault(path(), DEFAULT_AMD_FOLDER),
    refuseProducts: withDefault(list(choice(...SNP_PRODUCTS)), []),
  }),
  intel: object<Configuration['intel']>({
    pcs: withDefault(sourceOrOff, 'https://api.trustedservices.intel.com'),
    collateral: withDefault(path(), DEFAULT_INTEL_FOLDER),
  }),
  azure: object<Configuration['azure']>({
    thim: withDefault(sourceOrOff, 'off'),
    paravisors: object<Configuration['azure']['paravisors']>({
      idKeyDigests: withDefault(list(paravisor()), []),
      mrtds: withDefault(list(hex(SHA384_BYTES)), []),
      akCertificates: withDefault(either('off, or a date such as 2025-10-01', choice('off'), day()), 'off'),
    }),
  }),
  tpm: object<Configuration['tpm']>({ roots: withDefault(list(path()), []) }),
  maa,
  ita: object<Configuration['ita']>({
    issuers: withDefault(mapped(list(itaIssuer), withBuiltInAuthorities), TRUST_AUTHORITIES),
    submit: orNull(itaSubmit),
  }),
  challenges: object<Configuration['challenges']>({
    store: withDefault(either('memory, or a redis or rediss URL', choice('memory'), redisUrl()), 'memory'),
    lifetimeSeconds: withDefault(integer(1, 3600), 300),
    key: orNull(path()),
  }),
  decisions: object<Configuration['decisions']>({
    store: withDefault(
      either('off, a path, or a redis or rediss URL', redisUrl(), fileOrOff()),
      DEFAULT_DECISION_STORE,
    ),
    keepEvidence: withDefault(choice('hash', 'full'), 'hash'),
    retentionDays: withDefault(integer(1, 36_500), DEFAULT_RETENTION_DAYS),
  }),
  receipts: object<Configuration['receipts']>({
    issuer: orNull(text()),
    key: withDefault(trustedUrlOrFile(), 'ephemeral'),
    lifetimeSeconds: withDefault(integer(1, 300), 300),
  }),
  keys: withDefault(entries(NAME, releasableKey), NO_ENTRIES),
  callers: withDefault(entries(NAME, caller), NO_ENTRIES),
  log: object<Configuration['log']>({ level: withDefault(choice(...LOG_LEVELS), 'info') }),
});

/** Nobody has to lower a limit that he did not set because he lowered another one. */
function withFittingEventLog(limits: Setting<Configuration['limits']>): Setting<Configuration['limits']> {
  return {
    ...limits,
    read(raw, place) {
      const reading = limits.read(raw, place);
      const isSet = isRecord(raw) && raw['eventLogBytes'] !== undefined;
      if (isSet || !('value' in reading)) return reading;
      const { bodyBytes, eventLogBytes } = reading.value;
      return { value: { ...reading.value, eventLogBytes: Math.min(eventLogBytes, longestEventLog(bodyBytes)) } };
    },
  };
}

function paravisor(): Setting<string | ParavisorConfiguration> {
  return either(
    `${SHA384_BYTES} bytes in hex, or { digest, minGuestSvn } with minGuestSvn from 0 to ${GUEST_SVN_MAX}`,
    hex(SHA384_BYTES),
    object<ParavisorConfiguration>({ digest: hex(SHA384_BYTES), minGuestSvn: integer(0, GUEST_SVN_MAX) }),
  );
}

function redisUrl(): Setting<string> {
  return pattern(/^rediss?:\/\/[^\s/?#]+(\/\d{1,3})?$/, 'a redis or rediss URL');
}

/** Also `off`. Text with `://` would be a mistyped URL. */
function fileOrOff(): Setting<string> {
  return pattern(/^(?!.*:\/\/)/, 'off, or a path');
}

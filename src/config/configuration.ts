import { join } from 'node:path';
import { isObject } from '../core/json.js';
import { POLICY_ID } from '../core/request.js';
import { either, optional, orNull, type Read, type Schema } from '../schema/schema.js';
import { entries, object, section } from '../schema/structures.js';
import { choice, day, flag, hex, integer, number, pattern, text } from '../schema/values.js';
import { ita, maa } from './attestation-services.js';
import { azureIdentity } from './azure-identity.js';
import { caller } from './callers.js';
import { productLines } from './product-lines.js';
import { NAME, releasableKey } from './released-keys.js';
import { dataDirectory, stores } from './stores.js';
import { DEFAULT_POLICY_DIRECTORY, DEFAULT_TENANT, policies, tenant } from './tenants.js';
import {
  addressRange,
  issuerUrl,
  keyFileOrVaultKey,
  listed,
  path,
  proxyUrl,
  source,
  trustedOrigin,
  trustedUrl,
  unproxiedHost,
} from './values.js';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Bytes of MRTD and ID_KEY_DIGEST, both SHA-384. */
const SHA384_BYTES = 48;
/** Security versions of a paravisor are the lower 16 bits of GUEST_SVN. */
const GUEST_SVN_MAX = 0xffff;

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;

const policyId = pattern(POLICY_ID, 'a policy id');
const bytes = (max: number): Schema<number> => integer(KIB, max);
const sourceOrOff = either('off, or an http or https URL without user, query and fragment', choice('off'), source);

/** Also `off`. Text with `://` would be a mistyped URL. */
const fileOrOff = pattern(/^(?!.*:\/\/)/, 'off, or a path');

/** A digest alone keeps its built-in floor, or has none. */
const paravisor = either(
  `${SHA384_BYTES} bytes in hex, or { digest, minGuestSvn } with minGuestSvn from 0 to ${GUEST_SVN_MAX}`,
  hex(SHA384_BYTES),
  object({ digest: hex(SHA384_BYTES), minGuestSvn: integer(0, GUEST_SVN_MAX) }),
);

/** A gate in front of another service, for proxies that ask `/authorize/{gate}/*`. */
const gate = object({
  /** `aud` of the receipts that the gate accepts. */
  audience: text(),
  policy: policyId,
  /** The tenant of the receipts that the gate accepts. */
  tenant: optional(pattern(NAME, 'a name'), 'default'),
  /** Public origin of the service behind the gate, which a proof of the bound key must name. Null: no proofs. */
  url: orNull(trustedOrigin),
  /** Whether the gate accepts a receipt whose nonce the caller chose: the evidence may then be of any age. */
  ownNonces: optional(flag, false),
});

/** At least two colons for an IPv6 address: one alone would precede a port. */
const HOST = /^(?:[A-Za-z0-9._-]+|(?=.*:.*:)[A-Fa-f0-9:.]+)$/;

/** Without prototype, like parsed values, so that no name is special. */
const NO_ENTRIES: Readonly<Record<string, never>> = Object.create(null);

const DEFAULT_AMD_FOLDER = './endorsements/amd';
const DEFAULT_INTEL_FOLDER = './endorsements/intel';
const DEFAULT_TPM_FOLDER = './endorsements/tpm';
const DEFAULT_RETENTION_DAYS = 365;

const host = optional(pattern(HOST, 'a host name or address, without a port'), '127.0.0.1');
/** 0 picks a free port. */
const port = integer(0, 65_535);

/** A listener only for probes and metrics. It never requests a client certificate, so it has no authorities. */
const management = object({
  host,
  port,
  /** PEM files. Null: plain HTTP. */
  tls: orNull(object({ cert: path(), key: path() })),
  /** Who may read the metrics: callers with the role, or every client. */
  metrics: optional(choice('callers', 'open'), 'callers'),
});
export type ManagementConfiguration = Read<typeof management>;

const listen = section({
  host,
  port: optional(port, 8080),
  /** Whether to serve without callers on an address that is not loopback. */
  insecure: optional(flag, false),
  /** PEM files. */
  tls: section({
    cert: orNull(path()),
    key: orNull(path()),
    clientCa: orNull(path()),
    clientCrl: orNull(path()),
  }),
  /** Addresses or ranges whose X-Forwarded-For is trusted. */
  trustedProxies: listed(addressRange),
  /** Null: the main listener also serves probes and metrics. */
  management: orNull(management),
});
export type ListenConfiguration = Read<typeof listen>;

const limits = section({
  bodyBytes: optional(bytes(64 * MIB), 2 * MIB),
  /** Most bytes of all bodies at a time. With callers, one principal may use a third of them. */
  bodyBytesInFlight: optional(bytes(1024 * MIB), 96 * MIB),
  eventLogBytes: optional(bytes(64 * MIB), MIB),
});

/** Spans of requests, sent to a collector. */
const traces = object({
  /** URL for spans; without a path, `/v1/traces`. It must be trusted: spans show the requests of callers. */
  endpoint: trustedUrl,
  /** File with the headers of requests with spans, `Name: value` on each line. */
  headersFile: orNull(path()),
  /** The share of traced requests. */
  sample: optional(number(0, 1), 0.1),
  /** Whether the `traceparent` of a request decides about trace and sampling. */
  trustParent: optional(flag, false),
});

const decisions = section({
  /** Whether decisions are stored. */
  log: optional(choice('on', 'off'), 'on'),
  /** Second output of each record, as a line of JSON: `stdout`, or a file. */
  copy: optional(fileOrOff, 'off'),
  keepEvidence: optional(choice('hash', 'full'), 'hash'),
  retentionDays: optional(integer(1, 36_500), DEFAULT_RETENTION_DAYS),
});

/** Every key, for file and environment. consistency.ts has the rules between keys. */
export const CONFIGURATION_SCHEMA = object({
  listen,
  policies: section(policies),
  /** Tenants in addition to `default`, by name. */
  tenants: optional(entries(NAME, tenant), NO_ENTRIES),
  /** Whether requests may name a past verification time (`at`). */
  historical: optional(flag, false),
  limits: withFittingEventLog(limits),
  deadlineSeconds: optional(number(0.1, 120), 5),
  time: section({ tokenLeewaySeconds: optional(integer(0, 300), 60) }),
  amd: section({
    /** Origin of the Key Distribution Service. */
    kds: optional(sourceOrOff, 'https://kdsintf.amd.com'),
    /** Directory of certificates and CRLs. */
    chains: optional(path(), DEFAULT_AMD_FOLDER),
    refuseProducts: listed(text()),
    /** Product lines in addition to the built-in ones. */
    products: optional(productLines, NO_ENTRIES),
  }),
  intel: section({
    pcs: optional(sourceOrOff, 'https://api.trustedservices.intel.com'),
    collateral: optional(path(), DEFAULT_INTEL_FOLDER),
    /** Whether TDX is also verified with Intel's early collateral, without effect on the decision. */
    early: optional(choice('off', 'shadow'), 'off'),
  }),
  azure: section({
    /** URL of the host's certificate cache. */
    thim: optional(sourceOrOff, 'off'),
    /** Known paravisors, added to the built-in ones. */
    paravisors: section({
      idKeyDigests: listed(paravisor),
      mrtds: listed(hex(SHA384_BYTES)),
      /** Earliest date, in UTC, of valid AK certificates of confidential VMs. */
      akCertificates: optional(either('off, or a date such as 2025-10-01', choice('off'), day), 'off'),
    }),
  }),
  tpm: section({
    /** PEM files with roots of AK certificates, added to the built-in ones. */
    roots: listed(path()),
    /** Directory of issuers of AK certificates. */
    intermediates: optional(path(), DEFAULT_TPM_FOLDER),
  }),
  maa,
  ita,
  challenges: section({
    lifetimeSeconds: optional(integer(1, 3600), 300),
    /** File of the MAC key; null: `challenges.key` in the data directory, which replicas do not share. */
    key: orNull(path()),
  }),
  stores,
  decisions,
  receipts: section({
    /** `iss` of receipts. Null: the listening URL, and no discovery. */
    issuer: orNull(issuerUrl),
    /** The signing key: `ephemeral`, a PEM or JWK file, or the URL of a version of a Key Vault key. */
    key: optional(keyFileOrVaultKey, 'ephemeral'),
    /** The next signing key, already published. */
    next: orNull(keyFileOrVaultKey),
    /** Published keys that no longer sign. */
    previous: listed(keyFileOrVaultKey),
    /** The identity for Key Vault. Null: no key is in a vault. */
    credential: orNull(azureIdentity),
    lifetimeSeconds: optional(integer(1, 300), 300),
  }),
  /** Releasable keys, by their id in requests. */
  keys: optional(entries(NAME, releasableKey), NO_ENTRIES),
  /** Gates in front of other services, by the name in their path. */
  gates: optional(entries(NAME, gate), NO_ENTRIES),
  /** The callers, by name. Empty: loopback only, without authentication. */
  callers: optional(entries(NAME, caller), NO_ENTRIES),
  /** Whether GET / serves the inspector. */
  inspector: optional(flag, true),
  /** The proxy for outgoing connections. Connections to stores do not use it. */
  egress: section({
    proxy: orNull(proxyUrl),
    /** The password of the user in `proxy`. */
    passwordFile: orNull(path()),
    /** Hosts that are contacted directly. */
    noProxy: listed(unproxiedHost),
  }),
  log: section({ level: optional(choice(...LOG_LEVELS), 'info') }),
  /** Null: no traces. */
  traces: orNull(traces),
});

/**
 * The effective configuration, deep-frozen. docs/configuration.md has the meaning and the default of each key.
 * Paths are as written; relative ones are relative to the working directory. Null: not set.
 */
export type Configuration = Read<typeof CONFIGURATION_SCHEMA>;

/** The longest event log that fits into a body: base64 encodes three bytes in four characters. */
export function longestEventLog(bodyBytes: number): number {
  return Math.floor((bodyBytes * 3) / 4);
}

/** The default limit of event logs shrinks with the body limit of the operator. */
function withFittingEventLog(schema: typeof limits): typeof limits {
  return {
    ...schema,
    read(raw, at) {
      const read = schema.read(raw, at);
      const isSet = isObject(raw) && raw['eventLogBytes'] !== undefined;
      if (isSet || read === undefined) return read;
      return { ...read, eventLogBytes: Math.min(read.eventLogBytes, longestEventLog(read.bodyBytes)) };
    },
  };
}

/** File of the MAC key of challenges. */
export function challengeKeyPath(configuration: Configuration): string {
  return configuration.challenges.key ?? join(dataDirectory(configuration), 'challenges.key');
}

/** Directory of fetched endorsements. */
export function endorsementCacheDirectory(configuration: Configuration): string {
  return join(dataDirectory(configuration), 'endorsements');
}

/** Directory of key sets of callers' issuers. */
export function callerKeyDirectory(configuration: Configuration): string {
  return join(dataDirectory(configuration), 'caller-keys');
}

/** Directory of reset counts of vTPMs, one for each tenant. */
export function resetMemoryDirectory(configuration: Configuration, tenant: string = DEFAULT_TENANT): string {
  const all = join(dataDirectory(configuration), 'tpm-resets');
  return tenant === DEFAULT_TENANT ? all : join(all, 'tenants', tenant);
}

/** Whether a policy directory must exist: only the default directory may be missing, and then has no files. */
export function isPolicyDirectoryRequired(directory: string): boolean {
  return directory !== DEFAULT_POLICY_DIRECTORY;
}

/** Configured endorsement folders, by their keys: only the default folders may be missing without a warning. */
export function namedEndorsementFolders({ amd, intel, tpm }: Configuration): ReadonlyMap<string, string> {
  const folders: readonly (readonly [key: string, folder: string, byDefault: string])[] = [
    ['amd.chains', amd.chains, DEFAULT_AMD_FOLDER],
    ['intel.collateral', intel.collateral, DEFAULT_INTEL_FOLDER],
    ['tpm.intermediates', tpm.intermediates, DEFAULT_TPM_FOLDER],
  ];
  return new Map(folders.filter(([, folder, byDefault]) => folder !== byDefault).map(([key, folder]) => [key, folder]));
}

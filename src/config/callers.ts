import { isNamedLikeSharedProvider } from '../core/azure-attestation-regions.js';
import { POLICY_ID, ROLES } from '../core/request.js';
import { either, optional, orNull, type Place, type Read, refined, type Schema, whole } from '../schema/schema.js';
import { entries, list, object } from '../schema/structures.js';
import { choice, hex, instant, lowerCase, pattern, text, textThat, uuid } from '../schema/values.js';
import { checkEntra, isEntraIssuer } from './entra-callers.js';
import { NAME } from './released-keys.js';
import { issuerUrl, isTrustedUrl, isTrustedUrlWithQuery, listed, path } from './values.js';

const SHA256_BYTES = 32;

/** One text, or several. */
const texts: Schema<readonly string[]> = refined(
  either<string, readonly string[]>('a text or a list of texts', text(), list(text(), 'distinct', 'filled')),
  (value) => (typeof value === 'string' ? [value] : value),
);

const KEY_SET = 'an https URL without user and fragment, or a path';

/** An https URL, or a file. Text with `://` is always a URL. Entra applications with own keys have a query in the URL. */
const keySet = textThat(
  (raw) => !raw.includes('://') || (raw.startsWith('https://') && isTrustedUrlWithQuery(raw)),
  KEY_SET,
);

/** Without prototype, like parsed values. */
const NO_CLAIMS: Readonly<Record<string, string>> = Object.create(null);

/** Tokens of an OpenID Connect issuer. `profile` selects the checked claims. */
const oidc = object({
  profile: choice('entra', 'generic'),
  issuer: issuerUrl,
  /** The source of its keys. */
  keys: either(`discovery, ${KEY_SET}`, choice('discovery'), keySet),
  /** PEM file of the authorities of that source; null: those of Node. */
  ca: orNull(path()),
  /** `aud` must be, or contain, one of them. */
  audience: texts,
  /** For profile entra. */
  tenantId: orNull(lowerCase(uuid)),
  clientIds: listed(lowerCase(uuid)),
  appRoles: listed(text()),
  /** For profile generic: `sub` must be one of these, and each claim below must be exactly its text. */
  subjects: listed(text()),
  claims: optional(whole(entries(/^[^\s]{1,256}$/, text())), NO_CLAIMS),
});
export type OidcConfiguration = Read<typeof oidc>;

const SERVICE_ACCOUNT = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\/[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;

/** Projected tokens of service accounts. */
const kubernetes = object({
  issuer: text(),
  /** The source of the cluster's keys. */
  keys: either(`discovery, ${KEY_SET}`, choice('discovery'), keySet),
  ca: orNull(path()),
  /** File of the service's token for the cluster, read for each fetch. */
  tokenFile: orNull(path()),
  audience: texts,
  serviceAccounts: list(pattern(SERVICE_ACCOUNT, 'namespace/name'), 'distinct', 'filled'),
});

type KubernetesConfiguration = Read<typeof kubernetes>;

/** A URI without wildcards: it is compared as a whole. */
const uriName = textThat((raw) => /^[a-z][a-z0-9+.-]*:[!-)+-~]+$/.test(raw), 'a URI without * and blanks');
const dnsName = lowerCase(
  pattern(/^(?=.{1,253}$)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/i, 'a DNS name without wildcard and final dot'),
);

/** The client certificate of a connection, identified by one of these. */
const mtls = object({
  /** The only URI among its subject alternative names. */
  uri: orNull(uriName),
  /** One of the DNS names among its subject alternative names. */
  dns: orNull(dnsName),
  /** SHA-256 of its SubjectPublicKeyInfo. */
  spkiSha256: orNull(hex(SHA256_BYTES)),
});
export type MtlsConfiguration = Read<typeof mtls>;

/** A caller. Exactly one of `apiKeySha256`, `oidc`, `mtls` and `kubernetes` identifies it. */
export const caller = object({
  apiKeySha256: orNull(hex(SHA256_BYTES)),
  /** Time from which the key is no longer valid. */
  expires: orNull(instant),
  /** The next key: already valid, so that both are valid while clients change over. */
  next: orNull(object({ apiKeySha256: hex(SHA256_BYTES), expires: instant })),
  roles: list(choice(...ROLES), 'distinct', 'filled'),
  /** Policies that the caller may name; null: only the default policy. */
  policies: orNull(list(pattern(POLICY_ID, 'a policy id'), 'distinct', 'filled')),
  /** Audiences that the caller may name, and get receipts for; null: none. */
  audience: orNull(list(text(), 'distinct', 'filled')),
  tenant: optional(pattern(NAME, 'a name'), 'default'),
  /** Keys that the caller may have released, in addition to the role `release`. */
  keys: listed(pattern(NAME, 'the id of a key')),
  oidc: orNull(oidc),
  mtls: orNull(mtls),
  kubernetes: orNull(kubernetes),
});
export type CallerConfiguration = Read<typeof caller>;

/** Issuers of tokens about TEEs, besides the configured ones. */
const OF_EVIDENCE = [
  /^Intel Trust Authority$/,
  /^https:\/\/[^/]*trustauthority\.intel\.com/,
  /\.attest\.azure\.[a-z]+$/,
];

/** Claims that do not identify the subject (RFC 7519, section 4.1): all tokens for an audience may share them. */
const SAY_NOTHING: ReadonlySet<string> = new Set(['iss', 'aud', 'exp', 'nbf', 'iat', 'jti']);

export interface ForbiddenIssuers {
  /** Issuer of receipts; null: the listening URL, which no issuer of callers has. */
  readonly receipts: string | null;
  /** Issuers of tokens about TEEs. */
  readonly evidence: readonly string[];
}

/** Rejects members of a caller that contradict each other. */
export function checkCaller(configured: CallerConfiguration, forbidden: ForbiddenIssuers, at: Place): void {
  const { apiKeySha256, mtls } = configured;
  const ways = [apiKeySha256, configured.oidc, mtls, configured.kubernetes].filter((way) => way !== null);
  if (ways.length !== 1) at.refuse('needs one of apiKeySha256, oidc, mtls and kubernetes');
  if (apiKeySha256 !== null && configured.expires === null) at.member('expires').refuse('is missing');
  for (const member of ['expires', 'next'] as const) {
    if (apiKeySha256 === null && configured[member] !== null) at.member(member).refuse('is for apiKeySha256 alone');
  }
  for (const way of ['oidc', 'kubernetes'] as const) {
    const issuer = configured[way]?.issuer;
    if (issuer !== undefined) checkIssuer(issuer, forbidden, at.member(way, 'issuer'));
  }
  if (mtls !== null && markOf(mtls) === null) at.member('mtls').refuse('needs one of uri, dns and spkiSha256');
  if (configured.oidc !== null) checkOidc(configured.oidc, at.member('oidc'));
  if (configured.kubernetes !== null) checkKubernetes(configured.kubernetes, at.member('kubernetes'));
}

/** The compared part of a client certificate. */
export type CertificateMark = readonly [kind: keyof MtlsConfiguration, value: string];

/** The configured part; null if there is none, or several. */
export function markOf(mtls: MtlsConfiguration): CertificateMark | null {
  const marks = (['uri', 'dns', 'spkiSha256'] as const).flatMap((kind): readonly CertificateMark[] => {
    const value = mtls[kind];
    return value === null ? [] : [[kind, value]];
  });
  const [mark, another] = marks;
  return mark === undefined || another !== undefined ? null : mark;
}

/** A token about a TEE, or a receipt, would be a login for everyone who received it. */
function checkIssuer(issuer: string, { receipts, evidence }: ForbiddenIssuers, at: Place): void {
  if (issuer === receipts) at.refuse('issues receipts, and no tokens of callers');
  const isOfEvidence =
    evidence.includes(issuer) || isNamedLikeSharedProvider(issuer) || OF_EVIDENCE.some((form) => form.test(issuer));
  if (isOfEvidence) at.refuse('issues tokens about TEEs, and none of callers');
}

function checkOidc(configured: OidcConfiguration, at: Place): void {
  const { tenantId, clientIds, appRoles, subjects, claims } = configured;
  if (configured.profile === 'entra') {
    refuseMembers({ subjects, claims }, 'is for the profile generic alone', at);
    checkEntra(configured, at);
    return;
  }
  refuseMembers({ tenantId, clientIds, appRoles }, 'is for the profile entra alone', at);
  if (isEntraIssuer(configured.issuer)) {
    const why = 'of a tenant, any application can get a token for this audience';
    at.member('issuer').refuse(`is of Microsoft Entra ID, and needs the profile entra with clientIds: ${why}`);
  }
  if (subjects.length > 0 || Object.keys(claims).some((name) => !SAY_NOTHING.has(name))) return;
  at.refuse(
    'needs subjects, or a claim that says whom a token is about (not iss, aud, exp, nbf, iat or jti): else everybody with a token of this issuer is the caller',
  );
}

/** The service's token for the cluster is only sent to the host in `keys`, never to the host of an issuer. */
function checkKubernetes({ issuer, keys, tokenFile }: KubernetesConfiguration, at: Place): void {
  if (keys !== 'discovery') return;
  if (!issuer.startsWith('https://') || !isTrustedUrl(issuer)) {
    at.member('keys').refuse(
      'discovery needs an https URL as issuer: name the URL or the file of the keys of the cluster',
    );
  }
  if (tokenFile !== null) at.member('tokenFile').refuse('is for keys at a URL, and not for discovery');
}

function refuseMembers(members: Readonly<Record<string, object | string | null>>, why: string, at: Place): void {
  for (const [name, value] of Object.entries(members)) {
    if (value !== null && Object.keys(value).length > 0) at.member(name).refuse(why);
  }
}

import { type CheckResult, isOfToken } from '../core/checks/row.js';
import type { EvidenceType } from '../core/evidence.js';

/** A link of the chain of trust, from the trust anchors to the decision. */
export type LinkName =
  | 'service'
  | 'root'
  | 'certificates'
  | 'report'
  | 'claimsHash'
  | 'attestationKey'
  | 'quote'
  | 'pcrs'
  | 'eventLog'
  | 'token'
  | 'fresh'
  | 'policy'
  | 'release';

/** The state of a link. `not_reached`: not all of its checks ran. */
export type LinkState = 'verified' | 'failed' | 'open' | 'not_reached';

/** The members of a check that this module reads. */
export interface ReadCheck {
  readonly id: string;
  readonly result: CheckResult;
  readonly about: string;
}

export interface Link<C extends ReadCheck = ReadCheck> {
  readonly name: LinkName;
  readonly state: LinkState;
  readonly checks: readonly C[];
}

/**
 * The link of each check: that of the first pattern that its id matches, else `service`. Certificate checks belong to their
 * subject: those of a token's key belong to the token.
 */
const LINKS: readonly (readonly [RegExp, LinkName])[] = [
  [/^(cert_untrusted|snp_product_configured)$/, 'root'],
  [/^(cert|crl|vcek)_/, 'certificates'],
  [/^(snp|tdx|collateral|hardware|launch)_/, 'report'],
  [/^(hcl_ak|ak_cert)_/, 'attestationKey'],
  [/^hcl_/, 'claimsHash'],
  [/^tpm_(pcr|weak_bank)/, 'pcrs'],
  [/^tpm_/, 'quote'],
  [/^(eventlog_|secure_boot)/, 'eventLog'],
  [/^((token|maa|ita|route|jwks)_|disagreement$)/, 'token'],
  [/^(nonce|binding)_/, 'fresh'],
  [/^((policy|rule|reference|claim)_|no_policy$)/, 'policy'],
  [/^release_/, 'release'],
];

const HARDWARE: readonly LinkName[] = ['root', 'certificates', 'report'];
const VTPM: readonly LinkName[] = ['attestationKey', 'quote', 'pcrs', 'eventLog'];

/** Links of each type of evidence in order, without the links of some requests only. */
const CHAINS: { readonly [type in EvidenceType]: readonly LinkName[] } = {
  snp: [...HARDWARE, 'fresh'],
  tdx: [...HARDWARE, 'eventLog', 'fresh'],
  'az-snp-vtpm': [...HARDWARE, 'claimsHash', ...VTPM, 'fresh'],
  'az-tdx-vtpm': [...HARDWARE, 'claimsHash', ...VTPM, 'fresh'],
  tpm: ['root', 'certificates', ...VTPM, 'fresh'],
  'maa-token': ['token', 'fresh'],
  'ita-token': ['token', 'fresh'],
};

/** Shown only if the answer has a check of theirs. */
const WHERE_THERE_ARE_CHECKS: readonly LinkName[] = ['service', 'token', 'policy', 'release'];
const ORDER: readonly LinkName[] = [
  ...HARDWARE,
  'claimsHash',
  ...VTPM,
  'token',
  'fresh',
  'policy',
  'release',
  'service',
];

/** The link of a check. */
export function linkOf(check: Pick<ReadCheck, 'id' | 'about'>): LinkName {
  const { id, about } = check;
  const name = LINKS.find(([ids]) => ids.test(id))?.[1] ?? 'service';
  if (isOfToken(check) && [...HARDWARE, 'eventLog'].includes(name)) return 'token';
  // Without an event log, the runtime claims state whether Secure Boot is on.
  return name === 'eventLog' && about === '/evidence/hclReport' ? 'claimsHash' : name;
}

/**
 * The origin of the nonce. `caller`: entered on the page, or absent. `body`: in the body, from its author.
 * `unknown`: the decision log does not state it.
 */
export type NonceBy = 'caller' | 'body' | 'unknown';

/** The facts that decide the state of links, besides checks. */
export interface ChainContext {
  /** `withdrawn` for a withdrawn record. */
  readonly decision: string;
  readonly nonceBy: NonceBy;
}

/** The chain of trust of an answer. Each link depends on the links before it. */
export function chainOfTrust<C extends ReadCheck>(
  type: string,
  checks: readonly C[],
  context: ChainContext,
): readonly Link<C>[] {
  const names =
    (CHAINS as { readonly [other: string]: readonly LinkName[] })[type] ??
    ORDER.filter((name) => !WHERE_THERE_ARE_CHECKS.includes(name));
  const present = new Set<LinkName>([...names, ...checks.map(linkOf)]);
  return ORDER.filter((name) => present.has(name)).map((name) => {
    const own = checks.filter((check) => linkOf(check) === name);
    return { name, state: inContext(name, stateOf(own), context), checks: own };
  });
}

/** They depend on everything: without an allow, a passed check of them proves nothing. */
const ON_ALL: readonly LinkName[] = ['policy', 'release'];

function inContext(name: LinkName, state: LinkState, { decision, nonceBy }: ChainContext): LinkState {
  if (state !== 'verified') return state;
  if (ON_ALL.includes(name) && decision !== 'allow') return 'not_reached';
  return name === 'fresh' && nonceBy !== 'caller' ? 'open' : state;
}

/** A check that did not run never counts as passed. */
function stateOf(checks: readonly ReadCheck[]): LinkState {
  const results = new Set(checks.map(({ result }) => result));
  if (results.has('fail')) return 'failed';
  if (results.has('unavailable') || results.has('warn')) return 'open';
  if (results.has('skipped')) return 'not_reached';
  return results.has('pass') ? 'verified' : 'not_reached';
}

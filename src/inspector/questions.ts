import { type JsonValue, memberOf } from '../core/json.js';
import { type LinkName, linkOf, type ReadCheck } from './chain-of-trust.js';

/** A usual question about evidence, and the members of an answer about it. */
export interface Question {
  readonly name: string;
  readonly text: string;
  /** Links whose checks it shows. */
  readonly links: readonly LinkName[];
  /** Members of the claims: paths with dots. */
  readonly claims: readonly string[];
}

export const QUESTIONS: readonly Question[] = [
  {
    name: 'hardware',
    text: 'Which hardware?',
    links: ['root', 'certificates'],
    claims: [
      'snp.product',
      'snp.part',
      'snp.chipId',
      'snp.signingKey',
      'snp.cpuid',
      'tdx.fmspc',
      'tdx.ppid',
      'tdx.pceId',
    ],
  },
  {
    name: 'firmware',
    text: 'Which firmware, how far behind?',
    links: ['report'],
    claims: [
      'snp.firmware',
      'snp.tcb',
      'snp.mitigation',
      'snp.platformInfo',
      'snp.policy',
      'tdx.tcb',
      'tdx.teeTcbSvn',
      'tdx.mrSeam',
    ],
  },
  {
    name: 'boot',
    text: 'Which boot chain?',
    links: ['claimsHash', 'pcrs', 'eventLog'],
    claims: [
      'snp.measurement',
      'tdx.mrtd',
      'tdx.rtmr',
      'hcl.paravisor',
      'hcl.vmConfiguration',
      'tpm.eventLog',
      'tdx.eventLog',
      'tpm.pcrs',
    ],
  },
  {
    name: 'fresh',
    text: 'Is it fresh?',
    links: ['quote', 'fresh'],
    claims: ['snp.reportData', 'tdx.reportData', 'hcl.userData', 'tpm.clock'],
  },
  {
    name: 'key',
    text: 'Whose key?',
    links: ['attestationKey', 'release'],
    claims: ['hcl.akThumbprint', 'tpm.certifiedKey'],
  },
  {
    name: 'azure',
    text: 'What did Azure say, what did we find?',
    links: ['token'],
    claims: ['maa.issuer', 'maa.attestationType', 'maa.policyHash', 'ita'],
  },
  { name: 'limits', text: 'What does this not prove?', links: ['service', 'policy'], claims: [] },
];

/** The members of an answer beside its claims. */
interface AnswerFacts {
  readonly binding: { readonly jkt: string } | null;
  readonly freshness: { readonly bound: readonly string[] };
  readonly endorsements: readonly UsedEndorsement[];
}

interface UsedEndorsement {
  readonly kind: string;
  readonly sha256: string;
  readonly source: string;
  /** Null if it does not expire, or the expiry is unknown, as in a recorded decision. */
  readonly notAfter: string | null;
  readonly revocation?: string;
}

/** Names of the sources of endorsements. */
const SOURCES: { readonly [source: string]: string } = {
  evidence: 'brought by the request',
  cache: 'fetched before by the service',
  store: "from the service's folder",
  network: 'fetched by the service',
  carried: 'carried by the service',
};

/** The members besides claims that answer a question. A key is bound if evidence vouches for the nonce with it. */
export function factsFor({ name }: Question, { binding, freshness, endorsements }: AnswerFacts): readonly string[] {
  const { bound } = freshness;
  if (name === 'key' && binding !== null) {
    const whose = bound.length === 0 ? 'Nothing vouches for the key that the request names' : 'The bound key';
    return [`${whose}: thumbprint ${binding.jkt} (RFC 7638).`];
  }
  if (name === 'hardware') return endorsements.map(endorsementFact);
  if (name !== 'fresh' || bound.length === 0) return [];
  return [`${binding === null ? 'The nonce is' : 'Nonce and key are'} vouched for by ${bound.join(', ')}.`];
}

function endorsementFact({ kind, sha256, source, notAfter, revocation = 'not_applicable' }: UsedEndorsement): string {
  const end = notAfter === null ? '' : `, until ${notAfter}`;
  const revoked = revocation === 'not_applicable' ? '' : `, revocation: ${revocation}`;
  return `${kind.toUpperCase()} ${sha256.slice(0, 16)}…, ${SOURCES[source] ?? source}${end}${revoked}.`;
}

/** Checks about a question. */
export function checksFor<C extends ReadCheck>({ links }: Question, checks: readonly C[]): readonly C[] {
  return checks.filter((check) => links.includes(linkOf(check)));
}

/** Claims about a question, by their paths, without claims that the answer lacks. */
export function claimsFor(
  { claims: paths }: Question,
  claims: unknown,
): readonly (readonly [path: string, value: JsonValue])[] {
  return paths.flatMap((path) => {
    const value = path.split('.').reduce(memberOf, claims as JsonValue | undefined);
    return value === undefined || value === null ? [] : [[path, value] as const];
  });
}

/** Index of the first question about a claim; null if there is none. */
export function questionOfClaim(claim: string): number | null {
  const index = QUESTIONS.findIndex(({ claims }) => claims.includes(claim));
  return index < 0 ? null : index;
}

/** Paths of the answer's claims that belong to any question. */
export function shownClaims(claims: unknown): ReadonlySet<string> {
  return new Set(QUESTIONS.flatMap((question) => claimsFor(question, claims).map(([path]) => path)));
}

import type { EvidenceType } from '../../../src/core/evidence.js';
import type { JsonObject } from '../../../src/core/json.js';
import { azClaims, azTdxClaims, type Situation, snpClaims, tdxClaims, tokenClaims, tpmClaims } from './fixture.js';
import type { MemberFlip } from './member-flips.js';

/** For each type, a rule that the evidence of the fixture does not meet. */
const NOT_MET: { readonly [type in EvidenceType]: string } = {
  snp: 'snp.vmpl == 1',
  'az-snp-vtpm': 'snp.vmpl == 1',
  tdx: 'tdx.quoteVersion == 5',
  'az-tdx-vtpm': 'tdx.quoteVersion == 5',
  tpm: '!tpm.clock.safe',
  'maa-token': 'maa.attestationType == "tdxvm"',
  'ita-token': 'ita.attestationType == "SGX"',
};

const CLAIMS: { readonly [type in EvidenceType]: Situation['claims'] & {} } = {
  snp: { snp: snpClaims() },
  'az-snp-vtpm': azClaims(),
  tdx: { tdx: tdxClaims() },
  'az-tdx-vtpm': azTdxClaims(),
  tpm: { tpm: tpmClaims() },
  'maa-token': { maa: tokenClaims() },
  'ita-token': { ita: tokenClaims() },
};

const ISSUER = 'https://sharedweu.weu.attest.azure.net';
const STATUS = 'x-ms-compliance-status';

export function releasePolicy(status: string, authority = ISSUER): JsonObject {
  return { version: '1.0.0', anyOf: [{ authority, allOf: [{ claim: STATUS, equals: status }] }] };
}

/** Evidence with a token that states a compliance status; of a vTPM by itself, without. */
function withStatus(type: EvidenceType): Situation {
  const token = { ...tokenClaims(), issuer: ISSUER, claims: { [STATUS]: 'azure-compliant-cvm' } };
  if (type === 'tpm') return { type };
  const route = type === 'ita-token' ? 'ita' : 'maa';
  return { type, claims: { ...CLAIMS[type], [route]: token }, results: new Map([[route, { state: 'verified' }]]) };
}

const ALL = Object.keys(NOT_MET) as readonly EvidenceType[];
const JUDGED_BY_TOKEN = ALL.filter((type) => type !== 'tpm');

/** The route on which a policy for a type sees a token. */
function route(type: EvidenceType): JsonObject {
  const hardware = type.endsWith('-token') ? 'off' : 'required';
  return { routes: { hardware, ...(type === 'ita-token' ? { ita: 'required' } : { maa: 'optional' }) } };
}

function akvFlip(member: string, type: EvidenceType, on: JsonObject, off: JsonObject): MemberFlip {
  const withRule = (rule: JsonObject) => ({ ...route(type), rules: [{ id: 'release', ...rule }] });
  return { member, types: [type], on: withRule(on), off: withRule(off), given: withStatus };
}

/** Each language of rules, with evidence that meets a rule of it and evidence that does not. */
export const RULE_FLIPS: readonly MemberFlip[] = [
  ...ALL.map((type) => ({
    member: 'rules[].cel',
    types: [type],
    on: { rules: [{ id: 'one', cel: NOT_MET[type] }] },
    off: {},
    given: () => ({ type, claims: CLAIMS[type] }),
  })),
  ...JUDGED_BY_TOKEN.flatMap((type) => [
    akvFlip(
      'rules[].akv',
      type,
      { akv: releasePolicy('azure-compliant-uvm') },
      { akv: releasePolicy('azure-compliant-cvm') },
    ),
    akvFlip(
      'rules[].comparison',
      type,
      { akv: releasePolicy('azure-compliant-cvm', `${ISSUER}/`), comparison: 'compatible' },
      { akv: releasePolicy('azure-compliant-cvm', `${ISSUER}/`) },
    ),
  ]),
];

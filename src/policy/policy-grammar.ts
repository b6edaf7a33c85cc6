import { SNP_PLATFORM_BITS } from '../model/claims.js';
import { CONTRACT_EVIDENCE_TYPES } from '../model/evidence-traits.js';
import { MAA_ATTESTATION_TYPES, misspeltCompliance } from '../model/maa-words.js';
import {
  type Minimums,
  type PolicyMembers,
  type Requirements,
  type Routes,
  TDX_STATUSES,
  type TdxMinimums,
} from './policy-members.js';
import {
  anyOr,
  day,
  hexOf,
  integerFrom,
  listOf,
  naming,
  nonEmptyListOf,
  object,
  oneOf,
  optional,
  optionalOrNull,
  type Reader,
  refined,
  required,
  someOf,
  someText,
  textLike,
  yesOrNo,
} from './readers.js';
import { readReferenceSet } from './reference-grammar.js';
import { readSnpMinimums } from './tcb-grammar.js';
import { readWaiver } from './waiver-grammar.js';

const TOKEN_ROUTE = ['required', 'optional', 'off'] as const;

const readTdxMinimums: Reader<Exclude<TdxMinimums, 'any'>> = object({
  acceptedStatuses: required(nonEmptyListOf(oneOf(TDX_STATUSES))),
  earliestTcbDate: optionalOrNull(day),
  minEvaluationDataNumber: optionalOrNull(integerFrom(1, 0xffff_ffff)),
  maxCollateralAgeDays: optionalOrNull(integerFrom(1, 366)),
});

const readMinimumsByTee: Reader<Minimums> = object({
  snp: optionalOrNull(anyOr(readSnpMinimums)),
  tdx: optionalOrNull(anyOr(readTdxMinimums)),
});

const readMinimums: Reader<Minimums> = refined(anyOr(readMinimumsByTee), (minimums) =>
  minimums === 'any' ? { snp: 'any', tdx: 'any' } : minimums,
);

const NOT_ROUTED: Routes = { hardware: 'required', maa: 'off', ita: 'off' };

const readRoutes: Reader<Routes> = object({
  hardware: optional(oneOf(['required', 'off']), NOT_ROUTED.hardware),
  maa: optional(oneOf(TOKEN_ROUTE), NOT_ROUTED.maa),
  ita: optional(oneOf(TOKEN_ROUTE), NOT_ROUTED.ita),
});

/** Compared without case, as Trust Authority and the configuration write them in either. */
const readUuid: Reader<string> = refined(textLike(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, 'a UUID'), (text) =>
  text.toLowerCase(),
);

/** Tokens with a known status in other letters are refused, so that such a word would never allow. */
const readCompliance: Reader<string> = refined(someText, (text, at) => {
  const meant = misspeltCompliance(text);
  return meant === null ? text : at.refuse(`must be in lower case: ${meant}`);
});

/** CHIP_ID. On Turin 8 bytes count, and zeros follow in the report: either form may be written. */
const readChipId: Reader<string> = refined(
  textLike(/^(?:[0-9a-f]{16}|[0-9a-f]{128})$/i, '64 bytes in hex, or the 8 of a Turin, in quotes'),
  (text) => text.toLowerCase().padEnd(128, '0'),
);

const NOTHING_REQUIRED: Requirements = { snp: null, tdx: null, tpm: null, maa: null, ita: null };

const readRequirements: Reader<Requirements> = object({
  snp: optionalOrNull(
    object({
      committedEqualsCurrent: optional(yesOrNo, false),
      platformInfo: optional(
        someOf(SNP_PLATFORM_BITS, () => yesOrNo),
        {},
      ),
      mitigations: optional(nonEmptyListOf(integerFrom(0, 63)), []),
      minGuestSvn: optionalOrNull(integerFrom(0, 0xffff_ffff)),
      machines: optionalOrNull(
        naming(
          object({
            chipId: optionalOrNull(nonEmptyListOf(readChipId)),
            cspId: optionalOrNull(nonEmptyListOf(someText)),
          }),
        ),
      ),
    }),
  ),
  tdx: optionalOrNull(
    object({
      septVeDisable: optional(yesOrNo, false),
      allowMigratable: optional(yesOrNo, false),
      allowPerfmon: optional(yesOrNo, true),
      xfamMask: optionalOrNull(hexOf(8)),
      mrServiceTd: optionalOrNull(nonEmptyListOf(hexOf(48))),
      machines: optionalOrNull(object({ ppid: required(nonEmptyListOf(hexOf(16))) })),
    }),
  ),
  tpm: optionalOrNull(
    object({
      trackResets: optional(yesOrNo, false),
      quotedPcrs: optional(nonEmptyListOf(integerFrom(0, 23)), []),
      runtimePcrs: optional(nonEmptyListOf(integerFrom(0, 23)), []),
    }),
  ),
  maa: optionalOrNull(
    object({
      complianceStatus: optionalOrNull(nonEmptyListOf(readCompliance)),
      attestationType: optionalOrNull(nonEmptyListOf(oneOf(MAA_ATTESTATION_TYPES))),
      issuers: optionalOrNull(nonEmptyListOf(someText)),
      tcbStatus: optionalOrNull(nonEmptyListOf(oneOf(TDX_STATUSES))),
    }),
  ),
  ita: optionalOrNull(
    object({
      policyIds: optionalOrNull(nonEmptyListOf(readUuid)),
      issuers: optionalOrNull(nonEmptyListOf(someText)),
    }),
  ),
});

/** A rule that is not evaluated must not look as if it were. */
const noRules: Reader<null> = (value, at) => {
  if (!Array.isArray(value)) return at.refuse('must be a list');
  if (value.length === 0) return null;
  return at.refuse('this version does not evaluate rules, so a policy with rules does not load');
};

const readMembers = object({
  apiVersion: required(oneOf(['veritee/v1'])),
  id: required(textLike(/^[a-z0-9][a-z0-9-]{0,63}$/, 'up to 64 letters a to z, digits and hyphens, no hyphen first')),
  version: required(integerFrom(1, Number.MAX_SAFE_INTEGER)),
  description: optionalOrNull(someText),
  accepts: required(nonEmptyListOf(oneOf(CONTRACT_EVIDENCE_TYPES))),
  minimums: required(readMinimums),
  paravisor: optional(oneOf(['known', 'any']), 'known'),
  routes: optional(readRoutes, NOT_ROUTED),
  freshness: optional(oneOf(['required', 'strict', 'none']), 'required'),
  nonce: optional(oneOf(['any', 'challenge']), 'any'),
  revocation: optional(oneOf(['required', 'best-effort']), 'required'),
  binding: optional(oneOf(['optional', 'required']), 'optional'),
  secureBoot: optional(oneOf(['any', 'required']), 'any'),
  allowDebug: optional(yesOrNo, false),
  require: optional(readRequirements, NOTHING_REQUIRED),
  referenceValues: optional(listOf(readReferenceSet), []),
  rules: optionalOrNull(noRules),
  waivers: optional(listOf(readWaiver), []),
});

/** Reads every member of a policy by itself; what must hold between them is looked at elsewhere. */
export const readPolicyMembers: Reader<PolicyMembers> = refined(readMembers, (members) => {
  const { apiVersion: _, rules: __, ...policy } = members;
  return policy;
});

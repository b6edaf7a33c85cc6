import type { Check } from '../../core/check.js';
import type { CheckId } from '../../core/codes.js';
import { isTokenType } from '../../core/evidence-traits.js';
import { CHECK_IDS, CHECKS } from '../../tee/catalogue.js';
import { bootGap, type Seen } from './learned-values.js';

/** Why nothing is learned from a piece of evidence that is allowed. */
export interface Refusal {
  readonly code: string;
  /** One sentence for people, behind "the evidence". Lower case, no period. */
  readonly what: string;
}

/**
 * Findings that an attacker would like learned: a relaxed policy allows them, and they are learned only on request. Other
 * warnings do not stand against learning: of evidence of the past some are in every decision, such as `crl_unconfirmed`.
 */
function isTolerated({ id, result, waived }: Check): boolean {
  if (result !== 'warn') return false;
  return waived === true || isAlwaysTold(id);
}

function isAlwaysTold(id: CheckId): boolean {
  const row: { readonly relaxedBy?: string } = CHECKS[id];
  return id === 'hcl_paravisor_unknown' || id.startsWith('nonce_') || row.relaxedBy === 'allowDebug';
}

function canBeWaived(id: CheckId): boolean {
  const row: { readonly waiver?: string } = CHECKS[id];
  return row.waiver !== undefined;
}

/** Of evidence that shows too little of its boot, or nothing. */
const GAPS = ['boot_unpinned', 'tpm_pcr_not_quoted'];

/**
 * Codes that somebody can accept: those that evidence is refused for without a waiver first. None of them makes evidence
 * learned that is not allowed.
 */
export const ACCEPTABLE_CODES: readonly string[] = [
  ...new Set([...GAPS, ...CHECK_IDS.filter(isAlwaysTold), ...CHECK_IDS.filter(canBeWaived)]),
];

/** A warning that does not stand against learning. Who reads the policy should know of it all the same. */
export interface LearnedWarning {
  readonly code: string;
  /** As the first check of the code says it. */
  readonly detail: string;
}

/** The objections to learning from allowed evidence, and the accepted codes that it needed. */
export interface Learnability {
  readonly refused: readonly Refusal[];
  readonly accepted: readonly string[];
  /** Each code once. */
  readonly warnings: readonly LearnedWarning[];
}

/** @param checks of the policy that the evidence was judged by */
export function learnabilityOf(seen: Seen, checks: readonly Check[], accepted: ReadonlySet<string>): Learnability {
  if (isTokenType(seen.type)) {
    return {
      refused: [{ code: 'type_unsupported', what: 'is a token, and only evidence has reference values' }],
      accepted: [],
      warnings: [],
    };
  }
  const gap = bootGap(seen);
  const found = new Map<string, Refusal>();
  for (const check of checks.filter(isTolerated)) {
    found.set(check.id, { code: check.id, what: `is allowed with a warning that is not learned: ${check.detail}` });
  }
  if (gap !== null) found.set(gap.code, gap);
  return {
    refused: [...found.values()].filter(({ code }) => !accepted.has(code)),
    accepted: [...found.keys()].filter((code) => accepted.has(code)),
    warnings: warningsIn(checks).filter(({ code }) => !found.has(code)),
  };
}

function warningsIn(checks: readonly Check[]): readonly LearnedWarning[] {
  const found = new Map<string, LearnedWarning>();
  for (const { id, result, detail } of checks) {
    if (result === 'warn' && !found.has(id)) found.set(id, { code: id, detail });
  }
  return [...found.values()];
}

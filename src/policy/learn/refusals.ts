import type { Check } from '../../core/check.js';
import type { CheckId } from '../../core/codes.js';
import { isTokenType } from '../../core/evidence-traits.js';
import { CHECK_IDS, CHECKS } from '../../tee/catalogue.js';
import { bootGap, type Seen } from './learned-values.js';

/** The reason why nothing is learned from allowed evidence. */
export interface Refusal {
  readonly code: string;
  /** One sentence for people, behind "the evidence". Lower case, no period. */
  readonly what: string;
}

/**
 * Whether a check is a finding that a relaxed policy tolerates. It is learned only on request, because it would help an
 * attacker. Other warnings do not prevent learning: some, such as `crl_unconfirmed`, are in every decision on old
 * evidence.
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

/** Codes for evidence that does not show the whole boot. */
const GAPS = ['boot_unpinned', 'tpm_pcr_not_quoted'];

/**
 * Codes that the user can accept; the codes without a waiver come first. Accepting a code never makes denied evidence
 * learnable.
 */
export const ACCEPTABLE_CODES: readonly string[] = [
  ...new Set([...GAPS, ...CHECK_IDS.filter(isAlwaysTold), ...CHECK_IDS.filter(canBeWaived)]),
];

/** A warning that does not prevent learning, for the readers of the policy. */
export interface LearnedWarning {
  readonly code: string;
  /** The detail of the first check with the code. */
  readonly detail: string;
}

/** The objections to learning from allowed evidence, and the accepted codes that it needed. */
export interface Learnability {
  readonly refused: readonly Refusal[];
  readonly accepted: readonly string[];
  /** Each code once. */
  readonly warnings: readonly LearnedWarning[];
}

/** @param checks of the policy that the evidence was appraised under */
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

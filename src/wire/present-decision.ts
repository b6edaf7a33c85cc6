import type { Check } from '../core/check.js';
import type { Claims, TokenClaims } from '../core/claims.js';
import type { Decision } from '../core/decision.js';
import type { UsedEndorsement } from '../core/endorsement.js';
import { withoutLongLists } from '../core/long-lists.js';
import { remedyOf } from '../tee/remedies.js';
import { presentExplanation } from './present-explanation.js';
import type { Schemas } from './schema-check.js';

export interface DecisionView {
  /** Whether every skipped check is listed, and not only the first for each reason. */
  readonly allChecks: boolean;
  /** Whether the answer has the explanation tree. */
  readonly explain?: boolean;
  /** Policies that the reader may see; null or left out: all. */
  readonly policies?: ReadonlySet<string> | null;
}

/** Formats a decision for the answer to /verify. Members of unsupported capabilities are null. */
export function presentDecision(decision: Decision, view: DecisionView): Schemas['Decision'] {
  const checks = view.allChecks ? decision.checks : oneLineForEachReason(decision.checks);
  return {
    decision: decision.decision,
    decisionId: decision.decisionId,
    decidedAt: decision.decidedAt.toISOString(),
    at: decision.at.toISOString(),
    validUntil: decision.validUntil.toISOString(),
    historical: decision.historical,
    retryable: decision.retryable,
    evidence: decision.evidence,
    trust: decision.trust,
    policies: decision.policies,
    checks: checks.map(presentCheck),
    reasons: decision.reasons,
    claims: presentClaims(decision.claims),
    maaView: decision.maaView,
    crossCheck: decision.crossCheck,
    endorsements: decision.endorsements.map(presentEndorsement),
    freshness: decision.freshness,
    binding: decision.binding,
    shadow: decision.shadow.filter(({ id }) => view.policies?.has(id) !== false),
    receipt: decision.receipt,
    ...(view.explain === true ? { explanation: presentExplanation(decision) } : {}),
  };
}

/** Keeps the first of the checks skipped for one reason. Keeps all checks that ran. */
function oneLineForEachReason(checks: readonly Check[]): readonly Check[] {
  const listed = new Set<string>();
  return checks.filter(({ result, group }) => {
    if (result !== 'skipped' || group === undefined) return true;
    if (listed.has(group)) return false;
    listed.add(group);
    return true;
  });
}

/** Omits the members that only the decision needs: `retryable`, `group` and `optional`. */
function presentCheck(check: Check): Schemas['Check'] {
  const { id, result, about, detail, policy, waived = false } = check;
  const expected = withoutLongLists(check.expected);
  const actual = withoutLongLists(check.actual);
  return { id, result, about, expected, actual, detail, remedy: remedyOf(check), waived, policy };
}

const NO_CLAIMS = { snp: null, tdx: null, hcl: null, tpm: null } as const;

function presentClaims({ maa, ita, ...ofEvidence }: Claims): Schemas['Claims'] {
  return {
    ...NO_CLAIMS,
    ...ofEvidence,
    maa: maa === undefined ? null : presentToken(maa),
    ita: ita === undefined ? null : presentToken(ita),
  };
}

/** Omits the members for policies: the claims also have them. */
function presentToken({ issuer, attestationType, policyHash, claims }: TokenClaims): Schemas['TokenClaims'] {
  return { issuer, attestationType, policyHash, claims };
}

function presentEndorsement(endorsement: UsedEndorsement): Schemas['UsedEndorsement'] {
  const { kind, sha256, source, notAfter, fetchedAt, revocation } = endorsement;
  const [ends, fetched] = [notAfter?.toISOString() ?? null, fetchedAt?.toISOString() ?? null];
  return { kind, sha256, source, notAfter: ends, fetchedAt: fetched, revocation };
}

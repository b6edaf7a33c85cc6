import type { Check } from '../core/check.js';
import type { CrossCheck, Decision, ShadowResult } from '../core/decision.js';
import { groupedBy } from '../core/grouped.js';
import type { JsonObject, JsonValue } from '../core/json.js';
import { withoutLongLists } from '../core/long-lists.js';
import { withEveryCheck } from '../core/recorded-decision.js';
import { AK_IN_DETAIL } from '../core/vtpm-resets.js';
import { recordedClaims, WITHHELD_CLAIMS } from './recorded-claims.js';
import { NO_REDACTION, type Redaction } from './redaction.js';

/**
 * Checks that compare identifiers. The claims may lack the compared values: failed evidence has no claims, and the expected value
 * may belong to another machine.
 */
const COMPARING_IDENTIFIERS: ReadonlySet<string> = new Set([
  'snp_chip_id',
  'nonce_mismatch',
  'hcl_binding',
  'hcl_reference',
  'tdx_report_mismatch',
]);

/** A check whose detail names the claim that it compares. */
const COMPARING_CLAIMS = 'disagreement';

/** A claim as checks and comparisons name it, such as `hcl.akThumbprint`. */
const CLAIM = /(?<=\.)[A-Za-z]+\b(?!\.)/g;

/**
 * Writes a decision for the decision log. Only members named here are recorded. Remedies, receipt and `maaView` add
 * nothing and are left out; endorsements are recorded by digest; checks that passed or did not run by name.
 */
export function recordOf(decision: Decision, redaction: Redaction): JsonObject {
  const claims = recordedClaims(decision.claims, redaction);
  const [loud, quiet] = [decision.checks.filter(isLoud), decision.checks.filter((check) => !isLoud(check))];
  // Texts are written last, after every identifier that they may contain is withheld.
  const [checks, crossCheck] = [
    loud.map((check) => recordedCheck(check, redaction)),
    recordedCrossCheck(decision.crossCheck, redaction),
  ];
  return {
    decisionId: decision.decisionId,
    decidedAt: decision.decidedAt.toISOString(),
    at: decision.at.toISOString(),
    validUntil: decision.validUntil.toISOString(),
    historical: decision.historical,
    retryable: decision.retryable,
    decision: decision.decision,
    reasons: decision.reasons,
    evidence: { type: decision.evidence.type, sha256: decision.evidence.sha256 },
    trust: decision.trust as unknown as JsonObject,
    policies: decision.policies.map(({ id, version, sha256, outcome, matched, unmatched }) => ({
      id,
      version,
      sha256,
      outcome,
      matched,
      unmatched,
    })),
    checks: checks.map((write) => write()),
    quietChecks: groupsOf(quiet),
    claims,
    crossCheck: crossCheck(),
    endorsements: decision.endorsements.map(({ kind, sha256, source }) => ({ kind, sha256, source })),
    freshness: decision.freshness,
    binding: decision.binding,
    shadow: decision.shadow.map(recordedShadow),
  };
}

/** Writes a decision in its readable form, for records with kept evidence. */
export function readableRecordOf(decision: Decision): JsonObject {
  return withEveryCheck(recordOf(decision, NO_REDACTION));
}

/** Whether a check has a result other than passed or skipped. */
function isLoud({ result }: Check): boolean {
  return result === 'fail' || result === 'warn' || result === 'unavailable';
}

/** Ids of checks by result, place and policy. */
function groupsOf(checks: readonly Check[]): readonly JsonObject[] {
  const groups = groupedBy(checks, ({ result, about, policy }) => JSON.stringify([result, about, policy]));
  return [...groups.values()].map((group) => {
    const { result, about, policy } = group[0] as Check;
    return { result, about, ...(policy === null ? {} : { policy }), ids: group.map(({ id }) => id) };
  });
}

/** Withholds the identifiers that a check compares. Returns what writes the check. */
function recordedCheck(check: Check, redaction: Redaction): () => JsonObject {
  const { id, result, about, detail, policy, waived = false } = check;
  const [, ak] = AK_IN_DETAIL.exec(detail) ?? [];
  if (ak !== undefined) redaction.withhold(ak);
  const namesIds = COMPARING_IDENTIFIERS.has(id) || (id === COMPARING_CLAIMS && namesIdentifier(detail));
  const [expected, actual] = [check.expected, check.actual].map((value) => recordedValue(value, namesIds, redaction));
  return () => ({
    id,
    result,
    about: redaction.scrub(about),
    policy,
    detail: redaction.scrub(detail),
    expected: expected?.() ?? null,
    actual: actual?.() ?? null,
    waived,
  });
}

/** Withholds a value that identifies. Returns what writes the value. */
function recordedValue(value: JsonValue, identifies: boolean, redaction: Redaction): () => JsonValue {
  const shown = withoutLongLists(value);
  if (!identifies) return () => redaction.scrub(shown);
  const digest = redaction.withhold(shown);
  return () => digest;
}

function recordedCrossCheck(crossCheck: CrossCheck | null, redaction: Redaction): () => JsonValue {
  if (crossCheck === null) return () => null;
  const { routes, agree, differences, differencesOmitted } = crossCheck;
  const written = differences.map(({ claim, values }) => ({
    claim,
    values: recordedValue(values, namesIdentifier(claim), redaction),
  }));
  return () => ({
    routes,
    agree,
    differences: written.map(({ claim, values }) => ({ claim: redaction.scrub(claim), values: values() })),
    differencesOmitted,
  });
}

function recordedShadow({ id, version, sha256, outcome, reasons, collateral, expectedFrom }: ShadowResult): JsonObject {
  return { id, version, sha256, outcome, reasons, collateral, expectedFrom: expectedFrom as JsonObject | null };
}

function namesIdentifier(text: string): boolean {
  return (text.match(CLAIM) ?? []).some((name) => WITHHELD_CLAIMS.has(name));
}

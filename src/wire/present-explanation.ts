import { type Check, isOfToken } from '../core/check.js';
import type { CheckResult } from '../core/checks/row.js';
import type { Decision, Outcome } from '../core/decision.js';
import type { ExplainedPart } from '../core/explanation.js';
import { groupedBy } from '../core/grouped.js';
import { CHECK_FAMILIES } from '../tee/catalogue.js';
import { remedyOf } from '../tee/remedies.js';
import { endorsementGroups } from './present-endorsements.js';
import type { Schemas } from './schema-check.js';

type Node = Schemas['ExplanationNode'];
/** A node under construction. Empty members are left out: most nodes have few. */
type NewNode = { -readonly [member in keyof Node]: Node[member] };

/**
 * Explains a decision: the base checks by subject, the endorsements under them, then each policy
 * with its own checks, and under a rule the value of each part. Compared values are complete here.
 */
export function presentExplanation(decision: Decision): Node {
  const { decision: text, reasons } = decision;
  const node: NewNode = { text, result: RESULT_OF[text] };
  if (reasons.length > 0) node.note = reasons.join(', ');
  const endorsements = endorsementGroups(decision.endorsements);
  node.parts = [
    ...familyNodes(decision.checks),
    ...(endorsements.length === 0 ? [] : [{ text: 'Endorsements', parts: endorsements }]),
    ...policyNodes(decision),
  ];
  return node;
}

const RESULT_OF: { readonly [outcome in Outcome]: CheckResult } = {
  allow: 'pass',
  deny: 'fail',
  indeterminate: 'unavailable',
};

const TOKENS = 'Attestation Results';

/** Families whose name states the problem, with the subject of their checks. */
const NAMES: ReadonlyMap<string, string> = new Map([['Out of reach', 'Endorsements within reach']]);

/** The subject of a check, by its id. Families are in display order. */
const SUBJECTS: ReadonlyMap<string, string> = new Map(
  CHECK_FAMILIES.flatMap(({ name, rows }) => Object.keys(rows).map((id) => [id, NAMES.get(name) ?? name])),
);

/** The subjects, each once, in display order. */
const IN_ORDER: readonly string[] = [...new Set([...SUBJECTS.values(), TOKENS])];

/** Base checks by subject. Two subjects share ids: certificates of a token's key are checked like those under a report. */
function familyNodes(checks: readonly Check[]): readonly Node[] {
  const ofBase = checks.filter(({ policy }) => policy === null);
  const bySubject = groupedBy(ofBase, (check) => (isOfToken(check) ? TOKENS : SUBJECTS.get(check.id)));
  return IN_ORDER.flatMap((subject) => {
    const those = bySubject.get(subject);
    return those === undefined ? [] : [groupNode(subject, those)];
  });
}

function policyNodes({ policies, checks }: Decision): readonly Node[] {
  return policies.flatMap(({ id, version, outcome }) => {
    const own = checks.filter(({ policy }) => policy === id);
    return own.length === 0 ? [] : [policyNode(`policy ${id} version ${version}`, outcome, own)];
  });
}

/** The outcome of one policy, and its deciding checks. */
export function policyNode(text: string, outcome: Outcome, checks: readonly Check[]): Node {
  return { text, result: RESULT_OF[outcome], parts: checks.map(checkNode) };
}

function groupNode(text: string, checks: readonly Check[]): Node {
  return { text, result: worst(checks), parts: checks.map(checkNode) };
}

const BY_WEIGHT: readonly CheckResult[] = ['fail', 'unavailable', 'warn', 'skipped', 'pass', 'not_configured'];

/** The worst result of at least one check. */
function worst(checks: readonly Check[]): CheckResult {
  return BY_WEIGHT.find((weight) => checks.some(({ result }) => result === weight)) ?? 'fail';
}

/** If one of two values was compared, the other is shown even if it is null. */
function checkNode(check: Check): Node {
  const { id, result, about, expected, actual, detail } = check;
  const node: NewNode = { text: id, result, about };
  if (expected !== null) node.expected = expected;
  if (expected !== null || actual !== null) node.actual = actual;
  node.note = detail;
  const remedy = remedyOf(check);
  if (remedy !== null) node.remedy = remedy;
  if (check.explain !== undefined) node.parts = [partNode(check.explain())];
  return node;
}

/** One part of a rule. */
export function partNode({ text, state, value, note, parts }: ExplainedPart): Node {
  const node: NewNode = { text, state };
  if (state === 'value') node.value = value;
  if (note !== null) node.note = note;
  if (parts.length > 0) node.parts = parts.map(partNode);
  return node;
}

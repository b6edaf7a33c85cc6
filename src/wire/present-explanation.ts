import { type Check, isOfToken } from '../model/check.js';
import { CHECK_FAMILIES, remedyOf } from '../model/checks/catalogue.js';
import type { CheckResult } from '../model/checks/row.js';
import type { Decision, Outcome } from '../model/decision.js';
import type { ExplainedPart } from '../model/explanation.js';
import { endorsementsNode, PLAIN } from './present-endorsements.js';
import type { Schemas } from './schema-check.js';

type Node = Schemas['ExplanationNode'];

/**
 * Why a decision is what it is: the base checks by what they are about, the endorsements under them, then each policy
 * with its own checks, and under a rule the value of every part of it. Compared values are whole here.
 */
export function presentExplanation(decision: Decision): Node {
  const base = decision.checks.filter(({ policy }) => policy === null);
  return {
    text: decision.decision,
    ...PLAIN,
    result: RESULT_OF[decision.decision],
    note: decision.reasons.length === 0 ? null : decision.reasons.join(', '),
    parts: [...familyNodes(base), endorsementsNode(decision.endorsements), ...policyNodes(decision)].filter(
      ({ parts }) => parts.length > 0,
    ),
  };
}

const RESULT_OF: { readonly [outcome in Outcome]: CheckResult } = {
  allow: 'pass',
  deny: 'fail',
  indeterminate: 'unavailable',
};

const TOKENS = 'Attestation Results';

/** Families whose name says what is wrong, by what their checks are about. */
const NAMES: ReadonlyMap<string, string> = new Map([['Out of reach', 'Endorsements within reach']]);

/** Checks share ids where certificates of a token's key are judged as those under a report are. */
function familyNodes(checks: readonly Check[]): readonly Node[] {
  const families = CHECK_FAMILIES.map(({ name, rows }) => ({ name, rows: rows as { readonly [id: string]: unknown } }));
  const familyOf = (check: Check) =>
    isOfToken(check) ? TOKENS : families.find(({ rows }) => Object.hasOwn(rows, check.id))?.name;
  return families.map(({ name }) =>
    groupNode(
      NAMES.get(name) ?? name,
      checks.filter((check) => familyOf(check) === name),
    ),
  );
}

function policyNodes({ policies, checks }: Decision): readonly Node[] {
  return policies.map(({ id, version, outcome }) =>
    policyNode(
      `policy ${id} version ${version}`,
      outcome,
      checks.filter(({ policy }) => policy === id),
    ),
  );
}

/** What one policy came to, and by which of its checks. */
export function policyNode(text: string, outcome: Outcome, checks: readonly Check[]): Node {
  return { ...groupNode(text, checks), result: RESULT_OF[outcome] };
}

function groupNode(text: string, checks: readonly Check[]): Node {
  return { text, ...PLAIN, result: worst(checks), parts: checks.map(checkNode) };
}

const BY_WEIGHT: readonly CheckResult[] = ['fail', 'unavailable', 'warn', 'skipped', 'pass', 'not_configured'];

function worst(checks: readonly Check[]): CheckResult | null {
  return BY_WEIGHT.find((weight) => checks.some(({ result }) => result === weight)) ?? null;
}

function checkNode(check: Check): Node {
  const { id, result, about, expected, actual, detail } = check;
  return {
    text: id,
    result,
    state: null,
    value: null,
    about,
    expected,
    actual,
    note: detail,
    remedy: remedyOf(check),
    parts: check.explain === undefined ? [] : [partNode(check.explain())],
  };
}

/** One part of a rule. */
export function partNode({ text, state, value, note, parts }: ExplainedPart): Node {
  return { text, ...PLAIN, state, value, note, parts: parts.map(partNode) };
}

import type { ExplainedPart } from '../core/explanation.js';
import type { Schemas } from '../wire/schema-check.js';
import { explanationText } from './explanation-text.js';
import { OUTCOME_COLOUR, type Output, printable, RESULT_COLOUR, styledFor } from './output.js';
import { ruleLines } from './rule-text.js';

type Decision = Schemas['Decision'];
type Check = Schemas['Check'];

const RESULT_WIDTH = 12;

/** Characters in the table. The JSON has longer values. */
const SHOWN_CHARACTERS = 200;

/** Whether a retry is worthwhile. */
const AGAIN = {
  true: 'the same request may be judged differently later',
  false: 'the same request will not be judged differently later',
} as const;

export interface DecisionTableOptions extends Pick<Output, 'inColour'> {
  /** Values that the body chose although an option could set them, as text. */
  readonly chosen?: readonly string[];
  /** The rule of a check, with its parts. */
  readonly ruleOf?: (check: Check) => ExplainedPart | null;
}

/** Formats a decision as text: the outcome, the reasons with their remedies, then all checks that passed. */
export function decisionTable(decision: Decision, options: DecisionTableOptions): string {
  const styled = styledFor(options);
  const { ruleOf = () => null } = options;
  const { policies, checks } = decision;
  const ran = checks.filter(({ result }) => result !== 'skipped' && result !== 'not_configured');
  const width = Math.max(...ran.map(({ id }) => id.length), 0);
  const several = policies.length > 1;
  const row = (check: Check) => {
    const label = styled(RESULT_COLOUR[check.result], check.result.padEnd(RESULT_WIDTH));
    return `${label}${check.id.padEnd(width)}  ${printable(check.detail)}${several && check.policy !== null ? ` (policy ${check.policy})` : ''}`;
  };
  const against = byImportance(ran, decision.reasons);
  const skipped = checks.length - ran.length;
  return [
    ...headLines(decision, options),
    '',
    ...against.flatMap((check) => [row(check), ...explanation(check), ...rule(ruleOf(check)), '']),
    ...ran.filter(({ result }) => result === 'pass').map(row),
    ...(skipped === 0 ? [] : [styled('gray', `${skipped} checks were not reached or not asked for`)]),
    '',
  ].join('\n');
}

/** Formats a decision with its explanation instead of the table: the steps, and the endorsements. */
export function explainedDecision(
  decision: Decision,
  tree: Schemas['ExplanationNode'],
  options: DecisionTableOptions & { readonly everything: boolean },
): string {
  const reasons = decision.reasons.length === 0 ? [] : [`reasons   ${decision.reasons.join(', ')}`];
  return [...headLines(decision, options), ...reasons, '', explanationText(tree, options)].join('\n');
}

function headLines(
  { decision, evidence, policies, historical, validUntil, retryable }: Decision,
  { inColour, chosen = [] }: DecisionTableOptions,
): readonly string[] {
  const outcome = styledFor({ inColour })(['bold', OUTCOME_COLOUR[decision]], decision.toUpperCase());
  return [
    `${outcome}  ${evidence.type} ${evidence.sha256.slice(0, 16)}${historical ? '  (historical)' : ''}`,
    ...policies.map(({ id, version, outcome: ofPolicy }) => `policy    ${id} version ${version}: ${ofPolicy}`),
    ...(chosen.length === 0 ? [] : [`from body ${chosen.join(' and ')}`]),
    `until     ${validUntil}`,
    ...(decision === 'indeterminate' ? [`again     ${AGAIN[`${retryable}`]}`] : []),
  ];
}

/** Lines about a rule that is not met; none for a rule that is. */
function rule(part: ExplainedPart | null): readonly string[] {
  return part === null || part.value === true ? [] : ruleLines(part, RESULT_WIDTH, false);
}

/** Deciding checks first, in the order of the reasons, then warnings. */
function byImportance(checks: readonly Check[], reasons: readonly string[]): readonly Check[] {
  const rank = ({ id, result }: Check) => {
    const reason = reasons.indexOf(id);
    return result === 'warn' || reason < 0 ? reasons.length : reason;
  };
  return checks.filter(({ result }) => result !== 'pass').toSorted((a, b) => rank(a) - rank(b));
}

/** The compared values, and the remedy. */
function explanation(check: Check & { readonly remedy?: string | null; readonly waived?: boolean }): readonly string[] {
  const { expected, actual, remedy = null, waived = false } = check;
  const isCompared = expected !== null || actual !== null;
  return [
    ...(expected === null ? [] : [line('expected', tableValue(expected))]),
    ...(isCompared ? [line('actual', tableValue(actual))] : []),
    ...(waived ? [line('waived', 'a waiver of the policy makes this a warning')] : []),
    ...(remedy === null ? [] : [line('remedy', remedy)]),
  ];
}

function line(name: string, value: string): string {
  return `${' '.repeat(RESULT_WIDTH)}${name.padEnd(9)} ${printable(value)}`;
}

function tableValue(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value ?? null);
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}

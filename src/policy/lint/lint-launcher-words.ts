import { type Binary, type Claim, claimsIn, type Expression } from '../cel/expression.js';
import type { Policy } from '../document/policy-document.js';
import type { PolicyProblem } from '../document/policy-problem.js';
import type { ReferenceSet } from '../document/reference-grammar.js';

/**
 * Claims of `hcl` that the paravisor does not write: this service writes the first two, software in the VM the last.
 */
const NOT_OF_PARAVISOR: readonly string[] = ['paravisor', 'reportType', 'userData'];

/** Claims that identify the code, or its signer, that wrote the runtime claims. */
const LAUNCH: readonly string[] = ['snp.measurement', 'snp.idKeyDigest', 'tdx.mrtd'];

const WRITTEN_BY_LAUNCHER =
  'is written by whoever launched the guest if the paravisor is not known: write paravisor: known, or pin the launch';
const PIN =
  'Write paravisor: known, or pin snp.measurement, snp.idKeyDigest or tdx.mrtd: of an unknown paravisor the claim proves nothing.';

/**
 * Reports rules that compare runtime claims while the policy accepts an unknown paravisor (`paravisor: any`). A
 * launcher can meet any value with a guest that writes it. Ignores a policy that pins the launch, or that requires a
 * known paravisor in a rule.
 */
export function lintLauncherWords(policy: Policy): readonly PolicyProblem[] {
  const { paravisor, referenceValues: sets, rules } = policy;
  if (paravisor === 'known' || showsParavisor(policy) || (sets.length > 0 && sets.every(pinsLaunch))) return [];
  return rules.flatMap((rule, index) =>
    rule.language === 'akv'
      ? []
      : claimsInExpression(rule.expression).map((claim) => remark(claim, `/rules/${index}/cel`)),
  );
}

/** Whether evidence meets the rules only if its paravisor is known or its launch is pinned. */
export function showsParavisor({ rules }: Pick<Policy, 'rules'>): boolean {
  return rules.some((rule) => rule.language === 'cel' && showsLauncher(rule.expression));
}

function remark(claim: string, pointer: string): PolicyProblem {
  const message = `${claim} ${WRITTEN_BY_LAUNCHER}`;
  return { code: 'rule_always', pointer, message, severity: 'warning', remedy: PIN };
}

/** The unprotected runtime claims in an expression, each once. */
function claimsInExpression(expression: Expression): readonly string[] {
  const found = unshownClaims(expression).filter(
    ({ path: [section, member = ''] }) => section === 'hcl' && !NOT_OF_PARAVISOR.includes(member),
  );
  return [...new Set(found.map(({ text }) => text))];
}

/** The claims in the branches that do not pin the launch. */
function unshownClaims(expression: Expression): readonly Claim[] {
  if (showsLauncher(expression)) return [];
  return expression.op === 'or' ? expression.operands.flatMap(unshownClaims) : claimsIn(expression);
}

function pinsLaunch({ snp, tdx }: ReferenceSet): boolean {
  return snp?.measurement != null || snp?.idKeyDigest != null || tdx?.mrtd != null;
}

/** Whether evidence meets an expression only if its paravisor is known or its launch is pinned. */
function showsLauncher(expression: Expression): boolean {
  switch (expression.op) {
    case 'and':
      return expression.operands.some(showsLauncher);
    case 'or':
      return expression.operands.every(showsLauncher);
    case 'claim':
      return isKnown(expression);
    case 'binary':
      return pins(expression);
    default:
      return false;
  }
}

function pins({ operator, left, right }: Binary): boolean {
  if (operator === 'in') return isLaunch(left) && right.op === 'list';
  if (operator !== '==') return false;
  const isPair = (claim: Expression, value: Expression) =>
    value.op === 'literal' && (isLaunch(claim) || (isKnown(claim) && value.value === true));
  return isPair(left, right) || isPair(right, left);
}

function isKnown(side: Expression): boolean {
  return side.op === 'claim' && named(side) === 'hcl.paravisor.known';
}

function isLaunch(side: Expression): boolean {
  return side.op === 'claim' && LAUNCH.includes(named(side));
}

function named({ path }: Claim): string {
  return path.join('.');
}

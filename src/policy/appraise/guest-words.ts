import type { Expression } from '../cel/expression.js';
import type { CelRule, Rule } from '../document/rule.js';

const COMPLIANCE = 'x-ms-compliance-status';
/**
 * Compliance status of a CVM. Other statuses, such as that of a UVM, which has no paravisor, do not show the writer.
 */
const COMPLIANT = 'azure-compliant-cvm';

/**
 * Whether a claim of a token is a VM configuration that a guest can write itself: every configuration outside
 * x-ms-isolation-tee. In guest tokens the guest's client sent it; in others a guest or a paravisor wrote it.
 *
 * @param path names in the token, from the top level
 */
export function isGuestConfiguration(path: readonly string[]): boolean {
  const index = path.indexOf('vm-configuration');
  const holder = path[index - 1];
  return holder === 'attester_runtime_data' || (holder === 'x-ms-runtime' && index === 1);
}

/** Whether a token claim with this value shows that Azure's paravisor wrote the configuration. */
export function isOfAzureParavisor(claim: string, value: unknown): boolean {
  return claim === COMPLIANCE && value === COMPLIANT;
}

/** The expressions of rules, and their operands of `&&` and `||`. Negated parts are not included. */
export function askedBy(rules: readonly Rule[]): readonly Expression[] {
  return rules
    .filter((rule): rule is CelRule => rule.language === 'cel')
    .flatMap(({ expression }) => parts(expression));
}

function parts(expression: Expression): readonly Expression[] {
  const isJoined = expression.op === 'and' || expression.op === 'or';
  return isJoined ? expression.operands.flatMap(parts) : [expression];
}

/** Whether a part of a rule requires the compliance status of a CVM (see `isOfAzureParavisor`). */
export function asksForParavisor(part: Expression): boolean {
  if (part.op !== 'binary' || part.operator !== '==') return false;
  const isPair = (claim: Expression, value: Expression) =>
    claim.op === 'claim' &&
    value.op === 'literal' &&
    claim.path.length === 3 &&
    claim.path[0] === 'maa' &&
    isOfAzureParavisor(claim.path[2] ?? '', value.value);
  return isPair(part.left, part.right) || isPair(part.right, part.left);
}

import type { Expression } from '../cel/expression.js';
import type { CelRule, Rule } from '../document/rule.js';

const COMPLIANCE = 'x-ms-compliance-status';
/** Of a CVM. Another status, such as that of a UVM, which has no paravisor, does not show who wrote the configuration. */
const COMPLIANT = 'azure-compliant-cvm';

/**
 * Whether a claim of a token is of a configuration of the VM that a guest can write itself: outside of x-ms-isolation-tee,
 * in guest tokens what the guest's client sent, in others what a guest or a paravisor wrote.
 *
 * @param path names in the token, from its top
 */
export function isGuestConfiguration(path: readonly string[]): boolean {
  const index = path.indexOf('vm-configuration');
  const holder = path[index - 1];
  return holder === 'attester_runtime_data' || (holder === 'x-ms-runtime' && index === 1);
}

/** Whether a claim of a token that must equal a value shows that a paravisor of Azure wrote the configuration. */
export function isOfAzureParavisor(claim: string, value: unknown): boolean {
  return claim === COMPLIANCE && value === COMPLIANT;
}

/** The demands of rules: their expressions, and the parts of those that are joined by `&&` and `||`. A negated part is none. */
export function askedBy(rules: readonly Rule[]): readonly Expression[] {
  return rules
    .filter((rule): rule is CelRule => rule.language === 'cel')
    .flatMap(({ expression }) => parts(expression));
}

function parts(expression: Expression): readonly Expression[] {
  const isJoined = expression.op === 'and' || expression.op === 'or';
  return isJoined ? expression.operands.flatMap(parts) : [expression];
}

/** Whether a part of a rule asks for the compliance status of a CVM, as `isOfAzureParavisor`. */
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

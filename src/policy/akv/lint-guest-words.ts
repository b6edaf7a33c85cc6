import { isGuestConfiguration, isOfAzureParavisor } from '../appraise/guest-words.js';
import type { PolicyProblem } from '../document/policy-problem.js';
import type { ClaimCondition, Condition } from './policy-tree.js';
import { type KindsRequired, kindsRequired, together } from './token-kinds.js';

const WRITTEN_BY_GUEST = 'is JSON that a guest without paravisor writes itself';
const ADD = 'add x-ms-compliance-status equals azure-compliant-cvm';
const NAME = 'name the one in x-ms-isolation-tee';

const RELY_ON_OTHERS = 'Do as the message says: what the guest writes proves nothing.';

/**
 * Reports conditions on a configuration that the guest can write itself. Such a guest can meet any value. If the policy
 * also requires the compliance status of a CVM, a paravisor of Azure wrote the configuration. Does not check that both
 * conditions are in one branch.
 */
export function lintGuestWords(condition: Condition): readonly PolicyProblem[] {
  return isCompliant(condition) ? [] : remarksOn(condition, new Map());
}

function isCompliant(condition: Condition): boolean {
  if (condition.kind !== 'claim') return condition.conditions.some(isCompliant);
  return condition.operator === 'equals' && isOfAzureParavisor(condition.claim, condition.value);
}

function remarksOn(condition: Condition, around: KindsRequired): readonly PolicyProblem[] {
  if (condition.kind === 'claim') return ofClaim(condition, around);
  const { kind, conditions } = condition;
  const within = kind === 'allOf' ? together([around, ...conditions.map(kindsRequired)]) : around;
  return conditions.flatMap((each) => remarksOn(each, within));
}

function ofClaim({ claim, pointer }: ClaimCondition, around: KindsRequired): readonly PolicyProblem[] {
  if (!isGuestConfiguration(claim.split('.'))) return [];
  const message = `${claim} ${WRITTEN_BY_GUEST}: ${whatToDo(around)}`;
  return [{ code: 'akv_always', pointer, message, remedy: RELY_ON_OTHERS }];
}

/** The remedy by kind of token: guest tokens have no top-level compliance status, and others no x-ms-isolation-tee. */
function whatToDo(around: KindsRequired): string {
  if (around.has('guest')) return NAME;
  return around.has('direct') ? ADD : `${ADD}, or ${NAME}`;
}

import type { PolicyProblem } from '../policy-problem.js';
import type { ClaimCondition } from './policy-tree.js';

/** Outside x-ms-isolation-tee: in guest tokens what the guest's client sent, in others what a guest or a paravisor wrote. */
const CONFIGURATION = 'x-ms-runtime.vm-configuration.';

const RELY_ON_OTHERS =
  'Add the condition that the message writes, or name the claim in x-ms-isolation-tee: what the guest writes proves nothing.';

/**
 * Conditions on a configuration that the guest can write itself: any value is met by whoever wants to meet it. With the
 * compliance status of a CVM in the same token a paravisor of Azure wrote it; with another, such as that of a UVM, which has no
 * paravisor, nothing says so. Whether both stand in one branch is not looked at.
 */
export function lintGuestWords(conditions: readonly ClaimCondition[]): readonly PolicyProblem[] {
  const isCompliant = conditions.some(
    ({ claim, operator, value }) =>
      claim === 'x-ms-compliance-status' && operator === 'equals' && value === 'azure-compliant-cvm',
  );
  if (isCompliant) return [];
  const message =
    'is JSON that a guest without paravisor writes itself: add x-ms-compliance-status equals azure-compliant-cvm, or name the one in x-ms-isolation-tee';
  return conditions
    .filter(({ claim }) => claim.startsWith(CONFIGURATION))
    .map(({ claim, pointer }) => ({
      code: 'akv_always',
      pointer,
      message: `${claim} ${message}`,
      remedy: RELY_ON_OTHERS,
    }));
}

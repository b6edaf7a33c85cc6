import type { CheckRows, Finding } from '../../../core/checks/row.js';
import { lowTokenStatus } from '../../../core/checks/token-remedies.js';
import { isJsonList, unlessOutOfReach, value, without } from '../../../core/checks/words.js';

export const ITA_CHECKS = {
  ita_tcb_status: {
    holds: 'the policy accepts the TCB status that Intel Trust Authority states',
    fails: 'the TCB status that Intel Trust Authority states is revoked, or the policy does not accept it',
    waiver: 'status',
    members: ['require.ita.tcbStatus'],
    remedy: unlessOutOfReach(lowTokenStatus('Intel Trust Authority', 'require.ita.tcbStatus')),
  },
  ita_policy: {
    holds: 'Intel Trust Authority says that every required policy matches',
    fails: 'Intel Trust Authority does not say that every required policy matches',
    trust: { token: { configuration: 96 } },
    members: ['require.ita.policyIds'],
    remedy: unlessOutOfReach(unmatchedPolicies),
  },
  ita_debug: {
    holds: 'Intel Trust Authority says that debugging is off',
    fails: 'Intel Trust Authority does not say literally that debugging is off',
    trust: { token: { 'runtime-opaque': 96, configuration: 96 } },
    remedy:
      "The guest's owner should launch the TD with its debug attribute off, and the caller should then send a new token.",
  },
} satisfies CheckRows;

/** Where nothing was required, a policy that the token itself names did not match. */
function unmatchedPolicies({ expected, actual }: Finding): string {
  const isOwn = isJsonList(expected) && expected.length === 0;
  const ids = value(isOwn ? actual : without(expected, actual), 'the required policies');
  return isOwn
    ? `The caller should find out at Intel Trust Authority why the policies ${ids} do not match, or ask for a token without them.`
    : `The caller should ask Intel Trust Authority for a token with the policies ${ids}, and find out there why one does not match.`;
}

declare module '../../../core/checks/tables.js' {
  interface CheckTables {
    readonly ita: typeof ITA_CHECKS;
  }
}

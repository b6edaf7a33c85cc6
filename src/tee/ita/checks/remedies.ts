import type { Finding, RemediesOf } from '../../../core/checks/row.js';
import { lowTokenStatus } from '../../../core/remedies/token-words.js';
import { isJsonList, unlessOutOfReach, value, without } from '../../../core/remedies/words.js';
import type { ITA_CHECKS } from './rows.js';

export const ITA_REMEDIES = {
  ita_tcb_status: unlessOutOfReach(lowTokenStatus('Intel Trust Authority', 'require.ita.tcbStatus')),
  ita_policy: unlessOutOfReach(unmatchedPolicies),
  ita_debug:
    "The guest's owner should launch the TD with its debug attribute off, and the caller should then send a new token.",
} satisfies RemediesOf<typeof ITA_CHECKS>;

/** Names the unmatched policies. Without a required policy, one that the token itself names did not match. */
function unmatchedPolicies({ expected, actual }: Finding): string {
  const isOwn = isJsonList(expected) && expected.length === 0;
  const ids = value(isOwn ? actual : without(expected, actual), 'the required policies');
  return isOwn
    ? `The caller should find out at Intel Trust Authority why the policies ${ids} do not match, or ask for a token without them.`
    : `The caller should ask Intel Trust Authority for a token with the policies ${ids}, and find out there why one does not match.`;
}

import type { RemediesOf } from '../../../core/checks/row.js';
import { lowTokenStatus, orAccept } from '../../../core/remedies/token-words.js';
import { anyOf, unlessOutOfReach, value } from '../../../core/remedies/words.js';
import type { MAA_CHECKS } from './rows.js';

export const MAA_REMEDIES = {
  token_debug:
    "The guest's owner should launch the VM with debugging off, and the caller should then send a new token.",
  token_debug_unknown:
    'The caller should send a token that states literally that debugging is off (x-ms-sevsnpvm-is-debuggable or tdx_td_attributes_debug is false).',
  token_compliance: unlessOutOfReach(
    (finding) =>
      `The guest's owner should find out why Azure Attestation states ${value(finding.actual, 'no compliance status')} and not ${anyOf(finding.expected, 'one that is listed')}${orAccept(finding, finding.actual !== null)}.`,
  ),
  maa_tcb_status: unlessOutOfReach(lowTokenStatus('Azure Attestation', 'require.maa.tcbStatus')),
} satisfies RemediesOf<typeof MAA_CHECKS>;

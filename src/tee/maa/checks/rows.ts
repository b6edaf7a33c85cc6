import type { CheckRows } from '../../../core/checks/row.js';
import { lowTokenStatus, orAccept } from '../../../core/checks/token-remedies.js';
import { anyOf, unlessOutOfReach, value } from '../../../core/checks/words.js';

export const MAA_CHECKS = {
  token_debug: {
    holds: 'Azure Attestation says that debugging is off',
    fails: 'Azure Attestation says that the host can debug the VM',
    trust: { token: { 'runtime-opaque': 96, configuration: 96 } },
    remedy: "The guest's owner should launch the VM with debugging off, and the caller should then send a new token.",
  },
  token_debug_unknown: {
    holds: 'the token says literally whether debugging is off',
    fails: 'the token does not say literally that debugging is off',
    trust: { token: { 'runtime-opaque': 96 } },
    remedy:
      'The caller should send a token that states literally that debugging is off (x-ms-sevsnpvm-is-debuggable or tdx_td_attributes_debug is false).',
  },
  token_compliance: {
    holds: 'the compliance status that Azure Attestation states is listed in require.maa.complianceStatus',
    fails: 'the compliance status that Azure Attestation states is not listed in require.maa.complianceStatus',
    trust: { token: { configuration: 96 } },
    members: ['require.maa.complianceStatus'],
    remedy: unlessOutOfReach(
      (finding) =>
        `The guest's owner should find out why Azure Attestation states ${value(finding.actual, 'no compliance status')} and not ${anyOf(finding.expected, 'one that is listed')}${orAccept(finding, finding.actual !== null)}.`,
    ),
  },
  maa_tcb_status: {
    holds: 'the policy accepts the TCB status that Azure Attestation states',
    fails: 'the TCB status that Azure Attestation states is revoked, or the policy does not accept it',
    waiver: 'status',
    members: ['require.maa.tcbStatus'],
    remedy: unlessOutOfReach(lowTokenStatus('Azure Attestation', 'require.maa.tcbStatus')),
  },
} satisfies CheckRows;

declare module '../../../core/checks/tables.js' {
  interface CheckTables {
    readonly maa: typeof MAA_CHECKS;
  }
}

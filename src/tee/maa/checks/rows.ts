import type { CheckRows } from '../../../core/checks/row.js';

export const MAA_CHECKS = {
  token_debug: {
    holds: 'Azure Attestation says that debugging is off',
    fails: 'Azure Attestation says that the host can debug the VM',
    trust: { token: { 'runtime-opaque': 96, configuration: 96 } },
  },
  token_debug_unknown: {
    holds: 'the token says literally whether debugging is off',
    fails: 'the token does not say literally that debugging is off',
    trust: { token: { 'runtime-opaque': 96 } },
  },
  token_compliance: {
    holds: 'the compliance status that Azure Attestation states is listed in require.maa.complianceStatus',
    fails: 'the compliance status that Azure Attestation states is not listed in require.maa.complianceStatus',
    trust: { token: { configuration: 96 } },
    members: ['require.maa.complianceStatus'],
  },
  maa_tcb_status: {
    holds: 'the policy accepts the TCB status that Azure Attestation states',
    fails: 'the TCB status that Azure Attestation states is revoked, or the policy does not accept it',
    waiver: 'status',
    members: ['require.maa.tcbStatus'],
  },
} satisfies CheckRows;

declare module '../../../core/checks/tables.js' {
  interface CheckTables {
    readonly maa: typeof MAA_CHECKS;
  }
}

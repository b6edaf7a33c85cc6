import type { CheckRows } from '../../../core/checks/row.js';

export const ITA_CHECKS = {
  ita_tcb_status: {
    holds: 'the policy accepts the TCB status that Intel Trust Authority states',
    fails: 'the TCB status that Intel Trust Authority states is revoked, or the policy does not accept it',
    waiver: 'status',
    members: ['require.ita.tcbStatus'],
  },
  ita_policy: {
    holds: 'Intel Trust Authority says that every required policy matches',
    fails: 'Intel Trust Authority does not say that every required policy matches',
    trust: { token: { configuration: 96 } },
    members: ['require.ita.policyIds'],
  },
  ita_debug: {
    holds: 'Intel Trust Authority says that debugging is off',
    fails: 'Intel Trust Authority does not say literally that debugging is off',
    trust: { token: { 'runtime-opaque': 96, configuration: 96 } },
  },
} satisfies CheckRows;

declare module '../../../core/checks/tables.js' {
  interface CheckTables {
    readonly ita: typeof ITA_CHECKS;
  }
}

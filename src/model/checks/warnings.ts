import { paravisor } from './azure.js';
import type { CheckRows } from './row.js';

export const WARNING_CHECKS = {
  snp_product_advisory: {
    holds: 'no attack is published that extracts keys of this product line',
    fails: 'a published attack extracts keys of this product line',
    waiver: 'plain',
    remedy:
      'The operator should keep secrets that must survive a physical attack off this product line, or waive snp_product_advisory with a reason.',
  },
  snp_tcb_floor_missing: {
    holds: 'the policy sets a minimum for the firmware',
    fails: 'the policy sets no minimum for the firmware',
    trust: { hardware: { hardware: 32 } },
    waiver: 'plain',
    remedy: 'The operator should set minimums.snp in the policy, so that old firmware is refused.',
  },
  hcl_paravisor_unknown: {
    holds: 'the paravisor is known',
    fails: 'nothing shows that this is an Azure paravisor',
    trust: { guest: { 'instance-identity': 0 } },
    waiver: 'plain',
    remedy: paravisor,
  },
  collateral_unconfirmed: {
    holds: 'a source of Intel collateral confirms what the request supplied',
    fails: 'no source confirms the collateral that the request supplied',
    waiver: 'plain',
    remedy:
      'The operator should let the service reach intel.pcs, which confirms the collateral of a request unless the verification time is in the past.',
  },
  crl_unconfirmed: {
    holds: 'AMD KDS confirms the CRL that the request supplied',
    fails: 'only the request supplied a CRL, and AMD KDS is off or could not be asked',
    waiver: 'plain',
    remedy: "The operator should let the service reach amd.kds, so that the CRL of the request is compared with AMD's.",
  },
} satisfies CheckRows;

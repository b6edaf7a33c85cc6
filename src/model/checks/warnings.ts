import { paravisor } from './azure.js';
import type { CheckRows } from './row.js';

export const WARNING_CHECKS = {
  snp_product_advisory: {
    holds: 'nothing is published against this product line that firmware does not mend',
    fails: 'keys of this product line have been extracted by a published attack',
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
    fails: 'nothing says that this is a paravisor of azure',
    trust: { guest: { 'instance-identity': 0 } },
    waiver: 'plain',
    remedy: paravisor,
  },
  collateral_unconfirmed: {
    holds: 'a source of intel confirms the collateral that the request supplied',
    fails: 'nobody confirms the collateral that the request supplied',
    waiver: 'plain',
    remedy:
      'The operator should let the service reach intel.pcs, which confirms the collateral of a request unless the instant is past.',
  },
  crl_unconfirmed: {
    holds: 'a source of AMD confirms the CRL that the request supplied',
    fails: 'only the request supplied a CRL, and AMD KDS is off or could not be asked',
    waiver: 'plain',
    remedy:
      "The operator should let the service reach amd.kds, so that the request's own revocation list is held against AMD's.",
  },
} satisfies CheckRows;

import { PARAVISOR_EXAMPLES, paravisor } from './azure.js';
import type { CheckRows } from './row.js';
import { HARDWARE_EVIDENCE } from './snp-remedies.js';
import { policyOf, value } from './words.js';

export const WARNING_CHECKS = {
  snp_product_configured: {
    holds: 'the product line is built in',
    fails: 'the configuration says which root the product line has and what distinguishes it',
    when: 'every decision about evidence of a product line of amd.products',
    waiver: 'plain',
    remedy: ({ actual }) =>
      `The operator should install a version of veritee that has ${value(actual, 'this product line')} built in once there is one, or waive snp_product_configured with a reason.`,
    examples: [{ result: 'warn', actual: 'Venice' }],
  },
  snp_product_advisory: {
    holds: 'no attack is published that extracts keys of this product line',
    fails: 'a published attack extracts keys of this product line',
    when: 'every decision about evidence of the Milan line, and about a token about an SEV-SNP VM that stands alone, which names no line; amd.refuseProducts of the configuration denies both',
    waiver: 'plain',
    remedy: ({ actual }) =>
      actual === null
        ? `${HARDWARE_EVIDENCE} so that the product line is known, or the operator should waive snp_product_advisory with a reason.`
        : `The operator should keep secrets that must survive a physical attack off ${value(actual, 'this product line')}, or waive snp_product_advisory with a reason.`,
    examples: [
      { result: 'warn', actual: 'Milan' },
      { result: 'warn', actual: null },
    ],
  },
  snp_tcb_floor_missing: {
    holds: 'the policy sets a minimum for the firmware',
    fails: 'the policy sets no minimum for the firmware',
    when: 'minimums or minimums.snp is any',
    members: ['minimums.snp'],
    trust: { hardware: { hardware: 32 } },
    waiver: 'plain',
    remedy: (finding) =>
      `The operator should list minimums for the parts that ${policyOf(finding)} accepts in its minimums.snp, so that old firmware is refused.`,
    examples: [{ result: 'warn', policy: 'payments' }],
  },
  hcl_paravisor_unknown: {
    holds: 'the paravisor is known',
    fails: 'nothing shows that this is an Azure paravisor',
    when: 'as hcl_paravisor, under paravisor: any',
    members: ['paravisor'],
    trust: { guest: { 'instance-identity': 0 } },
    waiver: 'plain',
    remedy: paravisor,
    examples: PARAVISOR_EXAMPLES,
  },
  collateral_unconfirmed: {
    holds: 'a source of Intel collateral confirms what the request supplied',
    fails: 'no source confirms the collateral that the request supplied',
    when: 'the collateral came with the request, and no source of Intel collateral was asked, because none is configured or the verification time is in the past, or it did not answer',
    waiver: 'plain',
    remedy:
      'The operator should let the service reach intel.pcs, which confirms the collateral of a request unless the verification time is in the past.',
  },
  crl_unconfirmed: {
    holds: 'AMD KDS confirmed the CRL within 48 hours',
    fails: 'AMD KDS did not confirm the CRL within 48 hours, or only the request supplied one',
    waiver: 'plain',
    remedy: 'The operator should let the service reach amd.kds, or put a new CRL into amd.chains.',
  },
  launch_endorsement_ignored: {
    holds: 'no launch endorsement was sent',
    fails: 'a launch endorsement was sent, which this version does not verify',
    when: 'the dialect maa has Endorsements beside the report',
    remedy: 'The caller should leave Endorsements out, because nothing in the decision rests on them.',
  },
} satisfies CheckRows;

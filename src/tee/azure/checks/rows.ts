import type { CheckRows } from '../../../core/checks/row.js';

export const AZURE_CHECKS = {
  hardware_missing: {
    holds: 'the evidence has a hardware report beside the vTPM quote',
    fails: 'the evidence has no hardware report beside the vTPM quote',
  },
  hcl_binding: {
    holds: 'the report data is the SHA-256 of the runtime data, followed by zeros',
    fails: 'the report data is not the SHA-256 of the runtime data, followed by zeros',
    underlies: 'vtpm',
  },
  hcl_duplicate: {
    holds: 'the runtime claims have no member and no key twice',
    fails: 'the runtime claims have a member or a key twice',
    underlies: 'vtpm',
  },
  hcl_claims: {
    holds: 'the runtime claims have the form that a paravisor writes',
    fails: 'the runtime claims do not have the form that a paravisor writes',
    underlies: 'vtpm',
  },
  hcl_ak_missing: {
    holds: 'the runtime claims name the attestation key of the vTPM',
    fails: 'the runtime claims name no attestation key',
    underlies: 'vtpm',
  },
  hcl_ak_weak: {
    holds: 'the attestation key is strong enough',
    fails: 'the attestation key is too weak, or is not of the kind that Azure vTPMs have',
    underlies: 'vtpm',
  },
  hcl_ak_mismatch: {
    holds: 'the AK certificate is for the attestation key that the runtime claims name',
    fails: 'the AK certificate is for another key than the runtime claims name',
    trust: { guest: { 'instance-identity': 97 } },
  },
  ak_cert_untrusted: {
    holds: 'the certificate is an AK certificate, and its chain ends at a pinned root',
    fails: 'the AK certificate cannot be relied on',
    trust: { guest: { 'instance-identity': 97 } },
  },
  hcl_paravisor: {
    holds: 'the paravisor is known',
    fails: 'nothing shows that this is an Azure paravisor',
    members: ['paravisor'],
    trust: { guest: { 'instance-identity': 97 } },
  },
  hcl_reference: {
    holds: 'the VM id is among the reference values',
    fails: 'the VM id is not among the reference values',
    members: ['referenceValues[].hcl.vmUniqueId'],
    trust: { guest: { 'instance-identity': 97 } },
  },
} satisfies CheckRows;

export const AZURE_WARNINGS = {
  hcl_paravisor_unknown: {
    holds: 'the paravisor is known',
    fails: 'nothing shows that this is an Azure paravisor',
    members: ['paravisor'],
    trust: { guest: { 'instance-identity': 0 } },
    waiver: 'plain',
  },
} satisfies CheckRows;

declare module '../../../core/checks/tables.js' {
  interface CheckTables {
    readonly azure: typeof AZURE_CHECKS;
    readonly azureWarnings: typeof AZURE_WARNINGS;
  }
}

import type { CheckRows, Finding } from '../../../core/checks/row.js';
import { reference, unlessOutOfReach, value } from '../../../core/checks/words.js';
import { isObject, type JsonValue } from '../../../core/json.js';
import { whyNoParavisorKey } from '../../../core/microsoft-launches.js';
import { quotedName } from '../../../core/names-in-messages.js';

const AS_READ = 'byte for byte as the guest read it';

export const AZURE_CHECKS = {
  hardware_missing: {
    holds: 'the evidence has a hardware report beside the vTPM quote',
    fails: 'the evidence has no hardware report beside the vTPM quote',
    remedy: 'The caller should send the hardware report of the guest beside its vTPM quote.',
  },
  hcl_binding: {
    holds: 'the report data is the SHA-256 of the runtime data, followed by zeros',
    fails: 'the report data is not the SHA-256 of the runtime data, followed by zeros',
    underlies: 'vtpm',
    remedy:
      'The caller should send the report and the runtime data byte for byte as the guest read them, both at the same time.',
  },
  hcl_duplicate: {
    holds: 'the runtime claims have no member and no key twice',
    fails: 'the runtime claims have a member or a key twice',
    underlies: 'vtpm',
    remedy: `The caller should send the runtime data ${AS_READ}, because genuine runtime data has no member twice.`,
  },
  hcl_claims: {
    holds: 'the runtime claims have the form that a paravisor writes',
    fails: 'the runtime claims do not have the form that a paravisor writes',
    underlies: 'vtpm',
    remedy: `The caller should send the runtime data ${AS_READ}, because it does not have the form that the paravisor writes.`,
  },
  hcl_ak_missing: {
    holds: 'the runtime claims name the attestation key of the vTPM',
    fails: 'the runtime claims name no attestation key',
    underlies: 'vtpm',
    remedy:
      'The caller should send the runtime data of an Azure confidential VM, which names the attestation key of its vTPM as HCLAkPub.',
  },
  hcl_ak_weak: {
    holds: 'the attestation key is strong enough',
    fails: 'the attestation key is too weak, or is not of the kind that Azure vTPMs have',
    underlies: 'vtpm',
    remedy: ({ actual }) =>
      `The guest's owner should recreate the VM, because Azure vTPMs have RSA keys of 2048 bits or more with exponent 65537${value(actual, '') === '' ? '' : `, and this one has ${value(actual, '')}`}.`,
  },
  hcl_ak_mismatch: {
    holds: 'the AK certificate is for the attestation key that the runtime claims name',
    fails: 'the AK certificate is for another key than the runtime claims name',
    trust: { guest: { 'instance-identity': 97 } },
    remedy:
      'The caller should send the AK certificate (NV index 0x01C101D0) and the public area of the AK of this VM, or none.',
  },
  ak_cert_untrusted: {
    holds: 'the certificate is an AK certificate, and its chain ends at a pinned root',
    fails: 'the AK certificate cannot be relied on',
    trust: { guest: { 'instance-identity': 97 } },
    remedy: missingIssuer,
  },
  hcl_paravisor: {
    holds: 'the paravisor is known',
    fails: 'nothing shows that this is an Azure paravisor',
    members: ['paravisor'],
    trust: { guest: { 'instance-identity': 97 } },
    remedy: unlessOutOfReach(paravisor),
  },
  hcl_reference: {
    holds: 'the VM id is among the reference values',
    fails: 'the VM id is not among the reference values',
    members: ['referenceValues[].hcl.vmUniqueId'],
    trust: { guest: { 'instance-identity': 97 } },
    remedy: reference,
  },
} satisfies CheckRows;

/** Names the issuer that is missing in the chain, and where the operator can put it. */
function missingIssuer({ missing, faults = [] }: Finding): string {
  const because = faults.length === 0 ? '' : `, because the path is refused: ${faults.join(', ')}`;
  return missing === undefined
    ? `The caller should send the whole akChain, up to the Azure Virtual TPM root, or the operator should list the root in tpm.roots if it is another one${because}.`
    : `The operator should put the missing issuer and those above it into the folder tpm.intermediates, or the caller should send the whole akChain, which no dialect has, because the certificate of the issuer ${quotedName(missing)} is missing.`;
}

/** Names the paravisor that was seen, and the setting in which the operator can list it. */
function paravisor({ actual }: Finding): string {
  const seen = isObject(actual) ? actual : {};
  if (typeof seen['mrtd'] === 'string') {
    return `The operator should list this MRTD, of which Microsoft publishes none, if the VM is known to be one of Azure: azure: { paravisors: { mrtds: [${seen['mrtd']}] } } in the configuration, or the caller should send a token of an Azure Attestation instance for which maa.issuers lists policyHash.`;
  }
  const digest = value(seen['idKeyDigest'], 'of the report');
  const why = whyNoParavisorKey(digest);
  if (why !== null) return `The caller should send evidence of a confidential VM of Azure: this ID_KEY_DIGEST ${why}.`;
  return `The operator should add the ID_KEY_DIGEST ${digest}${withFloor(seen['guestSvn'])} to azure.paravisors.idKeyDigests if this is a paravisor that Microsoft signed, or the caller should send a token of an Azure Attestation instance for which maa.issuers lists policyHash.`;
}

/** The floor that accepts this paravisor. Only the low 16 bits are compared: the upper ones name a branch. */
function withFloor(guestSvn: JsonValue | undefined): string {
  return typeof guestSvn === 'number' ? ` with minGuestSvn ${guestSvn % 0x10000} (GUEST_SVN is ${guestSvn})` : '';
}

export const AZURE_WARNINGS = {
  hcl_paravisor_unknown: {
    holds: 'the paravisor is known',
    fails: 'nothing shows that this is an Azure paravisor',
    members: ['paravisor'],
    trust: { guest: { 'instance-identity': 0 } },
    waiver: 'plain',
    remedy: paravisor,
  },
} satisfies CheckRows;

declare module '../../../core/checks/tables.js' {
  interface CheckTables {
    readonly azure: typeof AZURE_CHECKS;
    readonly azureWarnings: typeof AZURE_WARNINGS;
  }
}

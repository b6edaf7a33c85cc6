import { isObject, type JsonValue } from '../json.js';
import type { CheckRows, Finding } from './row.js';
import { reference, value } from './words.js';

const AS_READ = 'byte for byte as the guest read it';

export const AZURE_CHECKS = {
  hardware_missing: {
    holds: 'a hardware report is beside the quote of the vTPM',
    fails: 'no hardware report is beside the quote of the vTPM',
    remedy: 'The caller should send the hardware report of the guest beside its vTPM quote.',
  },
  hcl_binding: {
    holds: 'report data is SHA-256 of the runtime data, followed by zeros',
    fails: 'the runtime data is not what the hardware report vouches for',
    underlies: 'vtpm',
    remedy:
      'The caller should send report and runtime data byte for byte as the guest read them, from one and the same moment.',
  },
  hcl_duplicate: {
    holds: 'no member and no key stands in the runtime claims twice',
    fails: 'a member or a key stands in the runtime claims twice',
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
    fails: 'the attestation key is too weak, or of another kind than a vTPM of Azure has',
    underlies: 'vtpm',
    remedy: "The guest's owner should create the VM anew, because vTPMs of Azure have RSA keys of 2048 bits or more.",
  },
  hcl_ak_mismatch: {
    holds: 'the certificate is of the attestation key that the runtime claims name',
    fails: 'the certificate is of another key than the runtime claims name',
    trust: { guest: { 'instance-identity': 97 } },
    remedy: 'The caller should send the AK certificate of this VM (NV index 0x01C101D0), or none.',
  },
  ak_cert_untrusted: {
    holds: 'the certificate is one of an attestation key, and its chain ends at a pinned root',
    fails: 'the certificate of the attestation key cannot be relied on',
    trust: { guest: { 'instance-identity': 97 } },
    remedy:
      'The caller should send akChain whole, up to the Azure Virtual TPM root, or the operator should list the root in tpm.roots if it is another.',
  },
  hcl_paravisor: {
    holds: 'the paravisor is known',
    fails: 'nothing says that this is a paravisor of azure',
    trust: { guest: { 'instance-identity': 97 } },
    remedy: paravisor,
  },
  hcl_reference: {
    holds: 'the id of the vm is among the reference values',
    fails: 'the id of the vm is not among the reference values',
    trust: { guest: { 'instance-identity': 97 } },
    remedy: reference,
  },
} satisfies CheckRows;

/** What was seen of a paravisor, and where an operator who knows it says so. */
export function paravisor({ actual }: Finding): string {
  const seen = isObject(actual) ? actual : {};
  if (typeof seen['mrtd'] === 'string') {
    return `The operator should add the MRTD ${seen['mrtd']} to azure.paravisors.mrtds if this is a paravisor that Microsoft built, or the caller should send a token of Azure Attestation.`;
  }
  const digest = value(seen['idKeyDigest'], 'of the report');
  return `The operator should add the ID_KEY_DIGEST ${digest}${withFloor(seen['guestSvn'])} to azure.paravisors.idKeyDigests if this is a paravisor that Microsoft signed, or the caller should send a token of Azure Attestation.`;
}

/** The floor that lets this paravisor in: it is compared with the low 16 bits, the upper ones name a branch. */
function withFloor(guestSvn: JsonValue | undefined): string {
  return typeof guestSvn === 'number' ? ` with minGuestSvn ${guestSvn % 0x10000} (GUEST_SVN is ${guestSvn})` : '';
}

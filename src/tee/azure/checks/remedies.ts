import type { Finding, RemediesOf } from '../../../core/checks/row.js';
import { isObject, type JsonValue } from '../../../core/json.js';
import { whyNoParavisorKey } from '../../../core/microsoft-launches.js';
import { quotedName } from '../../../core/names-in-messages.js';
import { reference, unlessOutOfReach, value } from '../../../core/remedies/words.js';
import type { AZURE_CHECKS, AZURE_WARNINGS } from './rows.js';

const AS_READ = 'byte for byte as the guest read it';

export const AZURE_REMEDIES = {
  hardware_missing: 'The caller should send the hardware report of the guest beside its vTPM quote.',
  hcl_binding:
    'The caller should send the report and the runtime data byte for byte as the guest read them, both at the same time.',
  hcl_duplicate: `The caller should send the runtime data ${AS_READ}, because genuine runtime data has no member twice.`,
  hcl_claims: `The caller should send the runtime data ${AS_READ}, because it does not have the form that the paravisor writes.`,
  hcl_ak_missing:
    'The caller should send the runtime data of an Azure confidential VM, which names the attestation key of its vTPM as HCLAkPub.',
  hcl_ak_weak: ({ actual }) =>
    `The guest's owner should recreate the VM, because Azure vTPMs have RSA keys of 2048 bits or more with exponent 65537${value(actual, '') === '' ? '' : `, and this one has ${value(actual, '')}`}.`,
  hcl_ak_mismatch:
    'The caller should send the AK certificate (NV index 0x01C101D0) and the public area of the AK of this VM, or none.',
  ak_cert_untrusted: missingIssuer,
  hcl_paravisor: unlessOutOfReach(paravisor),
  hcl_reference: reference,
} satisfies RemediesOf<typeof AZURE_CHECKS>;

export const AZURE_WARNINGS_REMEDIES = {
  hcl_paravisor_unknown: paravisor,
} satisfies RemediesOf<typeof AZURE_WARNINGS>;

/** Names the missing issuer in the chain, and the setting to which the operator can add it. */
function missingIssuer({ missing, faults = [] }: Finding): string {
  const because = faults.length === 0 ? '' : `, because the path is refused: ${faults.join(', ')}`;
  return missing === undefined
    ? `The caller should send the whole akChain, up to the Azure Virtual TPM root, or the operator should list the root in tpm.roots if it is another one${because}.`
    : `The operator should put the missing issuer and those above it into the folder tpm.intermediates, or the caller should send the whole akChain, which no dialect has, because the certificate of the issuer ${quotedName(missing)} is missing.`;
}

/** Names the paravisor in the evidence, and the setting in which the operator can list it. */
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

/** The floor that accepts this paravisor. Only the low 16 bits are compared, because the upper bits name a branch. */
function withFloor(guestSvn: JsonValue | undefined): string {
  return typeof guestSvn === 'number' ? ` with minGuestSvn ${guestSvn % 0x10000} (GUEST_SVN is ${guestSvn})` : '';
}

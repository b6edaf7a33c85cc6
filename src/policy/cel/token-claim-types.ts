import { camelCase } from '../../core/json.js';
import { MAA_ATTESTATION_TYPES } from '../../core/maa-words.js';
import {
  BOOL,
  type ClaimType,
  hexOf,
  INT,
  listType,
  oneOf,
  openObject,
  TEXT,
  UINT8,
  UINT32,
  VMPL,
} from './claim-type.js';

/** `vm-configuration` of a paravisor, with its original names, which tokens repeat. */
const VM_CONFIGURATION = {
  'console-enabled': BOOL,
  'current-time': INT,
  'filtered-vpci-devices-allowed': BOOL,
  // A value that the paravisor defines. It may define more.
  'hardware-sealing-policy': TEXT,
  'interactive-console-enabled': BOOL,
  'root-cert-thumbprint': TEXT,
  'secure-boot': BOOL,
  'tpm-enabled': BOOL,
  'tpm-persisted': BOOL,
  'vmgs-provisioner': openObject({ id: TEXT, signer: TEXT }),
  vmUniqueId: TEXT,
} satisfies Members;

/** `hcl.vmConfiguration`: the same members in camelCase, those that are not declared too. */
export const VM_CONFIGURATION_TYPE = openObject(
  Object.fromEntries(Object.entries(VM_CONFIGURATION).map(([name, type]) => [camelCase(name), type])),
  { spelling: camelCase },
);

interface Members {
  readonly [name: string]: ClaimType;
}

/** Claims of every JWT. */
const JWT: Members = { iss: TEXT, iat: INT, nbf: INT, exp: INT, jti: TEXT };

/**
 * Runtime data: JSON that the author of the evidence chose, since hardware vouches for its digest alone. It is the paravisor's only
 * where that is known, as inside of `x-ms-isolation-tee`. Keys are no claims of rules.
 */
const RUNTIME: Members = {
  'user-data': TEXT,
  nonce: TEXT,
  'vm-configuration': openObject(VM_CONFIGURATION),
};

const OTHERS_OF_RUNTIME = { notOfRules: new Map([['keys', 'binding is about keys']]) };

const RUNTIME_TYPE = openObject(RUNTIME, OTHERS_OF_RUNTIME);

/** The values that a guest gave its client, each in base64, stand in guest tokens. */
const GUEST_RUNTIME = openObject(
  { ...RUNTIME, 'client-payload': openObject({ nonce: TEXT }, { type: TEXT }) },
  OTHERS_OF_RUNTIME,
);

/** About a TD, under the names that Azure Attestation and Trust Authority share. */
const TD: Members = {
  attester_tcb_status: TEXT,
  dbgstat: TEXT,
  eat_profile: TEXT,
  intuse: TEXT,
  tdx_mrconfigid: hexOf(48),
  tdx_mrowner: hexOf(48),
  tdx_mrownerconfig: hexOf(48),
  tdx_mrseam: hexOf(48),
  tdx_mrsignerseam: hexOf(48),
  tdx_mrtd: hexOf(48),
  tdx_report_data: hexOf(64),
  tdx_rtmr0: hexOf(48),
  tdx_rtmr1: hexOf(48),
  tdx_rtmr2: hexOf(48),
  tdx_rtmr3: hexOf(48),
  tdx_seam_attributes: hexOf(8),
  tdx_seamsvn: INT,
  tdx_td_attributes: hexOf(8),
  tdx_td_attributes_debug: BOOL,
  tdx_td_attributes_key_locker: BOOL,
  tdx_td_attributes_perfmon: BOOL,
  tdx_td_attributes_protection_keys: BOOL,
  tdx_td_attributes_septve_disable: BOOL,
  tdx_tee_tcb_svn: hexOf(16),
  tdx_xfam: hexOf(8),
};

/** About a TEE, at whichever place of a token of Azure Attestation (Microsoft, Azure Attestation claim sets). */
const TEE: Members = {
  'x-ms-attestation-type': oneOf(MAA_ATTESTATION_TYPES),
  'x-ms-compliance-status': TEXT,
  'x-ms-runtime': RUNTIME_TYPE,
  'x-ms-sevsnpvm-authorkeydigest': hexOf(48),
  'x-ms-sevsnpvm-bootloader-svn': UINT8,
  'x-ms-sevsnpvm-familyId': hexOf(16),
  'x-ms-sevsnpvm-guestsvn': UINT32,
  'x-ms-sevsnpvm-hostdata': hexOf(32),
  'x-ms-sevsnpvm-idkeydigest': hexOf(48),
  'x-ms-sevsnpvm-imageId': hexOf(16),
  'x-ms-sevsnpvm-is-debuggable': BOOL,
  'x-ms-sevsnpvm-launchmeasurement': hexOf(48),
  'x-ms-sevsnpvm-microcode-svn': UINT8,
  'x-ms-sevsnpvm-migration-allowed': BOOL,
  'x-ms-sevsnpvm-reportdata': hexOf(64),
  'x-ms-sevsnpvm-reportid': hexOf(32),
  'x-ms-sevsnpvm-smt-allowed': BOOL,
  'x-ms-sevsnpvm-snpfw-svn': UINT8,
  'x-ms-sevsnpvm-tee-svn': UINT8,
  'x-ms-sevsnpvm-vmpl': VMPL,
  ...TD,
};

/** The claims of a guest token about the operating system and its boot. */
const GUEST: Members = {
  secureboot: BOOL,
  'x-ms-azurevm-attestation-protocol-ver': TEXT,
  'x-ms-azurevm-attested-pcrs': listType(INT),
  'x-ms-azurevm-bootdebug-enabled': BOOL,
  'x-ms-azurevm-dbvalidated': BOOL,
  'x-ms-azurevm-dbxvalidated': BOOL,
  'x-ms-azurevm-debuggersdisabled': BOOL,
  'x-ms-azurevm-default-securebootkeysvalidated': BOOL,
  'x-ms-azurevm-elam-enabled': BOOL,
  'x-ms-azurevm-flightsigning-enabled': BOOL,
  'x-ms-azurevm-hvci-policy': INT,
  'x-ms-azurevm-hypervisordebug-enabled': BOOL,
  'x-ms-azurevm-is-windows': BOOL,
  'x-ms-azurevm-kerneldebug-enabled': BOOL,
  'x-ms-azurevm-osbuild': TEXT,
  'x-ms-azurevm-osdistro': TEXT,
  'x-ms-azurevm-ostype': TEXT,
  'x-ms-azurevm-osversion-major': INT,
  'x-ms-azurevm-osversion-minor': INT,
  'x-ms-azurevm-signingdisabled': BOOL,
  'x-ms-azurevm-testsigning-enabled': BOOL,
  'x-ms-azurevm-vmid': TEXT,
};

/** A token of Azure Attestation, by the names of its issuer. */
export const MAA_TOKEN_TYPE = openObject({
  ...JWT,
  nonce: TEXT,
  'x-ms-ver': TEXT,
  'x-ms-policy-hash': TEXT,
  ...TEE,
  'x-ms-runtime': GUEST_RUNTIME,
  ...GUEST,
  'x-ms-isolation-tee': openObject(TEE),
});

/** The nonce that Trust Authority gave out before, as it signed it. */
const VERIFIER_NONCE = openObject({ val: TEXT, iat: TEXT, signature: TEXT });

/** The claims of Trust Authority about a TD that Azure Attestation does not have (Intel, token version 1 and 2). */
const ATTESTER: Members = {
  ...TD,
  attester_type: TEXT,
  attester_tcb_date: TEXT,
  attester_advisory_ids: listType(TEXT),
  attester_held_data: TEXT,
  attester_runtime_data: RUNTIME_TYPE,
  // JSON of the guest's, beside the runtime data of a paravisor.
  attester_user_data: openObject({}),
  tdx_is_debuggable: BOOL,
  tdx_is_migratable: BOOL,
  tdx_td_attributes_migratable: BOOL,
};

const POLICY_IDS = 'require.ita.policyIds says which policies a token has to match';

/** A token of Intel Trust Authority. Version 1 has the attester's claims on top, version 2 under `tdx`. */
export const ITA_TOKEN_TYPE = openObject(
  {
    ...JWT,
    ver: TEXT,
    policy_defined_claims: openObject({}),
    verifier_instance_ids: listType(TEXT),
    verifier_nonce: VERIFIER_NONCE,
    ...ATTESTER,
    tdx: openObject({ ...ATTESTER, verifier_nonce: VERIFIER_NONCE }),
  },
  {
    notOfRules: new Map([
      ['policy_ids_matched', POLICY_IDS],
      ['policy_ids_unmatched', POLICY_IDS],
    ]),
  },
);

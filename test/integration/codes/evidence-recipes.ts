import { createHash } from 'node:crypto';
import { type MissingCrl, NO_ENDORSEMENTS, type SnpEndorsementSet } from '../../../src/core/endorsement.js';
import { LAB_NONCE as nonce } from '../../answers/lab.js';
import { servedWith } from '../../configured-lines.js';
import { verifiersOf } from '../../judge.js';
import {
  AMD_ARC,
  basicConstraints,
  CCEL_EVENT,
  createSnpGuest,
  createVirtualMachine,
  genuineTcbLevels,
  keyUsage,
  labCcelEvents,
  littleEndian,
  type SnpPlatformOptions,
  type TdxGuestEvidenceOptions,
  VirtualTpm,
} from '../../lab/index.js';
import type { CodeLab } from './code-lab.js';

/** Codes of hardware evidence and of what a guest adds to it. */

const sha384 = (bytes: Uint8Array) => createHash('sha384').update(bytes).digest();

/** A guest of a platform of its own, under a policy that asks for nothing. */
function onPlatform(options: Partial<SnpPlatformOptions>) {
  return ({ lab, judged }: CodeLab) => judged(createSnpGuest({ pki: lab.amd, ...options }).evidence({ nonce }));
}

/** The lab's guest with another ASK or ARK above its key certificate. */
function withChain(chainOf: (lab: CodeLab['lab']) => string) {
  return ({ lab, judged }: CodeLab) => judged(lab.guest.evidence({ nonce, endorsements: { chain: chainOf(lab) } }));
}

/** A TD of the lab that is wrong in one place, under a policy that asks for nothing. */
function ofTd(optionsOf: (lab: CodeLab['lab']) => TdxGuestEvidenceOptions) {
  return ({ lab, asked }: CodeLab) => asked(lab.td.wireEvidence({ nonce, ...optionsOf(lab) }), 'permissive');
}

export const certificateRecipes = {
  cert_untrusted: 'lab snp: a chain of another line under ended',
  cert_signature: 'lab tdx: collateral of strangers under ended',
  cert_algorithm: onPlatform({
    vcek: { overrides: { algorithm: { scheme: 'pss', hash: 'sha256', saltLength: 32 } } },
  }),
  cert_not_ca: withChain(({ amd }) => {
    const extensions = [basicConstraints({ ca: false }), keyUsage(['keyCertSign'])];
    return amd.issueIntermediate('Milan', 'vcek', { extensions }).pem + amd.ark('Milan').pem;
  }),
  cert_path: withChain(({ amd }) => {
    const extensions = [basicConstraints({ pathLength: 0 }), keyUsage(['keyCertSign', 'crlSign'])];
    return amd.intermediate('Milan', 'vcek').pem + amd.issueRoot('Milan', { extensions }).pem;
  }),
  cert_role: ({ lab: { intel, td }, judged }: CodeLab) => {
    const quote = { pckChain: intel.tcbIssuerChain(), pckKey: intel.tcbSigning.key.privateKey };
    return judged(td.evidence({ nonce, quote }));
  },
  cert_extension: onPlatform({
    vcek: { extensions: (all) => [...all, ...all.filter(({ oid }) => oid === `${AMD_ARC}.4`)] },
  }),
  cert_validity: 'lab snp: on a VCEK that has ended under ended',
  cert_revoked: 'lab tdx: a revoked CA under ended',
  crl_invalid: 'lab snp: a CRL of another line under waived',
  crl_issuer: 'lab tdx: a CRL of the other CA under ended',
  vcek_unavailable: 'lab snp: no endorsements under ended',
  crl_stale: 'lab snp: an older CRL under waived',
  crl_unavailable: 'lab snp: no CRL under careful',
  crl_rollback: ({ lab, judged }: CodeLab) => {
    const problem: MissingCrl = {
      code: 'crl_rollback',
      detail: 'older than CRL number 7',
      retryable: true,
      substitute: null,
    };
    const snp: SnpEndorsementSet = {
      vek: null,
      chains: new Map(),
      chainProblem: null,
      crls: new Map(),
      otherCrls: new Map(),
      crlProblems: new Map([['Milan', problem]]),
    };
    return judged(lab.guest.evidence({ nonce, endorsements: { crls: [] } }), {}, { endorsements: { snp } });
  },
  collateral_unavailable: 'lab tdx: no collateral under ended',
  collateral_stale: 'lab tdx: tdx now under ended',
  collateral_rollback: ({ lab, judged }: CodeLab) => {
    const tdx = { code: 'collateral_rollback', detail: 'older than what was fetched', retryable: true } as const;
    const evidence = lab.td.evidence({ nonce, collateral: null });
    return judged(evidence, {}, { endorsements: { ...NO_ENDORSEMENTS, tdx } });
  },
  collateral_not_yet: 'lab tdx: collateral that has not begun under ended',
  collateral_unconfirmed: 'lab tdx: no log under ended',
  crl_unconfirmed: 'lab snp: VMPL 1 under waived',
} as const;

export const snpRecipes = {
  snp_key_kind: 'lab snp: a VLEK that is none under ended',
  snp_product: 'lab snp: on Genoa under waived',
  snp_chip_id: 'lab snp: another chip under ended',
  snp_tcb_cert: 'lab snp: older TCB reported under ended',
  snp_signature: 'lab snp: a broken signature under ended',
  snp_debug: 'lab snp: debug under waived',
  snp_migration_agent: 'lab snp: migration agent under waived',
  snp_vmpl: 'lab snp: VMPL 1 under of-lists',
  snp_tcb_order: 'lab snp: older TCB committed under waived',
  snp_tcb_low: 'lab snp: on old TCB under careful',
  snp_provisional: 'lab snp: provisional firmware under strict',
  snp_mitigation: 'lab snp: VMPL 1 under strict-bare',
  snp_id_key: 'lab snp: on Genoa under of-lists',
  snp_measurement: 'lab snp: other measurement under of-lists',
  snp_host_data: 'lab snp: host data under of-lists',
  snp_platform_smt_enabled: 'lab snp: VMPL 1 under ended',
  snp_platform_tsme_enabled: 'lab snp: platform bit 1 under strict',
  snp_platform_ecc_enabled: 'lab snp: platform bit 0 under strict',
  snp_platform_rapl_disabled: 'lab snp: platform bit 3 under strict',
  snp_platform_ciphertext_hiding_dram_enabled: 'lab snp: platform bit 4 under strict',
  snp_platform_alias_check_complete: 'lab snp: platform bit 0 under strict',
  snp_platform_iommu_write_safe: 'lab snp: platform bit 6 under strict',
  snp_platform_tio_enabled: 'lab snp: platform bit 7 under strict',
  snp_platform_unknown: 'lab snp: platform bit 8 under ended',
  snp_product_configured: ({ lab, judged }: CodeLab) => {
    const { lines, pins } = servedWith(lab.amd, 'Venice');
    const evidence = createSnpGuest({ pki: lab.amd, part: 'Venice' }).evidence({ nonce });
    return judged(evidence, {}, { verifiers: verifiersOf(pins, { lines }) });
  },
  snp_product_advisory: 'lab snp: VMPL 1 under waived',
  snp_tcb_floor_missing: 'lab snp: debug under of-lists',
} as const;

export const tdxRecipes = {
  tdx_signature: 'lab tdx: a quote signed by another key under ended',
  tdx_qe_vendor: 'lab tdx: a quoting enclave of another vendor under ended',
  tdx_qe_binding: 'lab tdx: an attestation key of another QE under ended',
  tdx_qe_report_signature: 'lab tdx: a QE report signed by another key under ended',
  tdx_qe_identity: 'lab tdx: a QE of another signer under ended',
  tdx_qe_debug: 'lab tdx: a debug QE under ended',
  tdx_qe_svn: 'lab tdx: an old QE under ended',
  tdx_qe_attributes: ofTd(() => ({ quote: { qeReport: { miscSelect: 1 } } })),
  tdx_report_mismatch: 'lab az-tdx-vtpm: another TDREPORT under ended',
  tdx_tcb_info: 'lab tdx: TCB info of another PCEID under ended',
  tdx_tcb_level_unsupported: ofTd(({ td }) => {
    const levels = genuineTcbLevels(td.platform).slice(0, 1);
    const higher = levels.map((level) => ({ ...level, sgxSvns: level.sgxSvns.map((svn) => svn + 1) }));
    return { collateral: { tcbInfo: { levels: higher } } };
  }),
  tdx_tcb_status: 'lab tdx: an unknown status under ended',
  tdx_tcb_date: 'lab tdx: an early TCB date under careful',
  tdx_module: 'lab tdx: an empty list of TDX modules under ended',
  tdx_debug: 'lab az-tdx-vtpm: debug under ended',
  tdx_attributes: 'lab tdx: migratable set under ended',
  tdx_xfam: 'lab tdx: XFAM without SSE under ended',
  tdx_seam_attributes: 'lab tdx: SEAMATTRIBUTES that are not zero, under a mask that leaves them out under ended',
  tdx_platform_id: 'lab az-tdx-vtpm: genuine under strict',
  tdx_service_td: 'lab tdx: a service TD under ended',
  tdx_measurement: 'lab tdx: no log under strict-bare',
} as const;

export const guestRecipes = {
  hcl_binding: 'lab az-snp-vtpm: report data of others under waived',
  hcl_duplicate: 'lab az-tdx-vtpm: a member twice under ended',
  hcl_claims: 'lab az-tdx-vtpm: claims that are no JSON under ended',
  hcl_ak_missing: 'lab az-tdx-vtpm: no keys under ended',
  hcl_ak_weak: async ({ lab: { amd, vm }, judged }: CodeLab) => {
    const vtpm = await VirtualTpm.create({ modulusLength: 1024 });
    const weak = await createVirtualMachine({ pki: amd, platform: vm.platform, vtpm });
    return judged(weak.evidence({ nonce }));
  },
  hcl_ak_mismatch: 'lab az-snp-vtpm: an AK certificate of another key under waived',
  ak_cert_untrusted: 'lab tpm: a certificate without chain under vtpm',
  hcl_paravisor: 'lab az-snp-vtpm: an old paravisor under careful',
  hcl_paravisor_unknown: 'lab az-snp-vtpm: an old paravisor under waived',
  hcl_reference: 'lab snp: on Turin under of-lists',
  tpm_signature: 'lab tpm: RSA-PSS under vtpm',
  tpm_weak_signature: ({ lab, judged }: CodeLab) =>
    judged(lab.vm.evidence({ nonce, quote: { signing: { hash: 'sha1', form: 'tpmt' } } })),
  tpm_magic: 'lab tpm: a quote with another magic under vtpm',
  tpm_not_quote: ({ lab, judged }: CodeLab) => judged(lab.vm.evidence({ nonce, quote: { type: 0x8017 } })),
  tpm_weak_bank: 'lab tpm: the bank of SHA-1 under vtpm',
  tpm_pcr_selection: ({ lab, judged }: CodeLab) => {
    const evidence = lab.vm.evidence({ nonce });
    const values = evidence.tpmQuote.pcrs.get('sha256') ?? [];
    const pcrs = new Map([['sha256', new Map([...values].filter(([index]) => index !== 7))]] as const);
    return judged({ ...evidence, tpmQuote: { ...evidence.tpmQuote, pcrs } });
  },
  tpm_pcr_digest: 'lab tpm: another PCR digest under vtpm',
  tpm_pcr_not_quoted: 'lab tdx: a configured TD under of-lists',
  tpm_pcr: ({ lab, judged }: CodeLab) =>
    judged(lab.vm.evidence({ nonce }), {
      referenceValues: [{ tpm: { pcrs: { sha256: { '7': ['11'.repeat(32)] } } } }],
    }),
  eventlog_replay: 'lab tdx: a log of another boot under ended',
  eventlog_order: ofTd(() => {
    const digest = new Uint8Array(48).fill(1);
    const noAction = { register: 1, type: CCEL_EVENT.noAction, data: littleEndian(0, 4), digest };
    return { ccel: [...labCcelEvents(), noAction] };
  }),
  eventlog_unverified: ofTd(() => ({
    ccel: labCcelEvents().map((event) =>
      event.type === CCEL_EVENT.efiVariableDriverConfig
        ? { ...event, digest: sha384(event.data), data: event.data.map((byte, at) => (at === 0 ? byte ^ 1 : byte)) }
        : event,
    ),
  })),
  eventlog_missing: ({ lab, judged }: CodeLab) =>
    judged(lab.vm.evidence({ nonce }), {
      referenceValues: [{ tpm: { boot: { commandLines: ['/vmlinuz ro'] } } }],
    }),
  secure_boot: 'lab az-snp-vtpm: Secure Boot off under azure-cvm-baseline',
  secure_boot_unknown: 'lab az-snp-vtpm: no configuration under azure-cvm-baseline',
  nonce_mismatch: 'lab tpm: a bound key under vtpm',
  nonce_missing: 'lab az-snp-vtpm: debug under challenged',
  nonce_stale: ({ lab, judged }: CodeLab) =>
    judged(lab.vm.evidence({ nonce, claims: { userData: null } }), { freshness: 'strict' }),
  binding_missing: 'lab az-snp-vtpm: debug under challenged',
  policy_evidence_type: 'lab tpm: PCR 16 under ended',
  reference_not_applicable: ({ lab, judged }: CodeLab) =>
    judged(lab.guest.evidence({ nonce }), {
      referenceValues: [{ appliesTo: { product: 'Genoa' }, snp: { vmpl: [0] } }],
    }),
} as const;

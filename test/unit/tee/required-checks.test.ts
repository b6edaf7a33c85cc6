import { describe, expect, it } from 'vitest';
import type { CheckId } from '../../../src/core/codes.js';
import type { Verification } from '../../../src/core/verification.js';
import { expectedBinding } from '../../../src/tee/shared/binding/expected-binding.js';
import { TdxVerifier } from '../../../src/tee/tdx/tdx-verifier.js';
import { createAzureAkPki, createVirtualMachine, SnpGuest } from '../../lab/index.js';
import { TdxGuest, type TdxGuestEvidenceOptions } from '../../lab/tdx-guest.js';
import { TDX_VM, verifyAzureTdx } from './azure/tdx-fixture.js';
import { AT, expectVerified, NONCE, PKI, verifyAzure, verifySnp } from './fixture.js';
import { endorsing, newVerifier as newTdxVerifier, PLATFORM } from './tdx/fixture.js';
import { MACHINE, verifyTpm } from './tpm/tpm-fixture.js';

/** The checks that need an outcome before an allow: a check that is missing here could go missing unseen. */

const vm = await createVirtualMachine({ pki: PKI });
const guest = new SnpGuest(vm.platform);
const AK_PKI = createAzureAkPki({ at: AT });

const OF_A_REPORT: readonly CheckId[] = [
  'snp_key_kind',
  'vcek_unavailable',
  'cert_untrusted',
  'cert_validity',
  'crl_unavailable',
  'snp_product',
  'snp_product_refused',
  'snp_chip_id',
  'snp_tcb_cert',
  'snp_signature',
  'snp_debug',
  'snp_migration_agent',
  'snp_tcb_order',
  'snp_id_key',
];
const OF_A_PARAVISOR: readonly CheckId[] = [
  'hcl_binding',
  'snp_vmpl',
  'hcl_duplicate',
  'hcl_claims',
  'hcl_ak_missing',
  'hcl_ak_weak',
];
const OF_A_QUOTE: readonly CheckId[] = [
  'tpm_weak_signature',
  'tpm_signature',
  'tpm_magic',
  'tpm_not_quote',
  'tpm_weak_bank',
  'tpm_pcr_selection',
  'tpm_pcr_digest',
  'tpm_pcr',
];

const OF_AN_EVENT_LOG: readonly CheckId[] = ['eventlog_order', 'eventlog_replay', 'eventlog_unverified'];
const OF_AN_AK_CERTIFICATE: readonly CheckId[] = ['hcl_ak_mismatch', 'ak_cert_untrusted', 'cert_validity'];
const OF_A_TD_QUOTE: readonly CheckId[] = [
  'tdx_qe_vendor',
  'cert_untrusted',
  'cert_validity',
  'collateral_unavailable',
  'crl_issuer',
  'cert_revoked',
  'collateral_not_yet',
  'collateral_stale',
  'tdx_qe_report_signature',
  'tdx_qe_binding',
  'tdx_qe_debug',
  'tdx_qe_identity',
  'tdx_qe_attributes',
  'tdx_qe_svn',
  'tdx_signature',
  'tdx_tcb_info',
  'tdx_module',
  'tdx_tcb_level_unsupported',
  'tdx_debug',
  'tdx_attributes',
  'tdx_xfam',
  'tdx_seam_attributes',
];

const sorted = (ids: readonly CheckId[]) => [...new Set(ids)].sort();

function expectRequired(found: Verification, ...ids: readonly CheckId[]): void {
  expectVerified(found);
  expect([...found.required].sort()).toEqual(sorted(ids));
}

describe('checks that must have an outcome', () => {
  it('are these for a bare report', async () => {
    expectRequired(await verifySnp(guest.evidence()), ...OF_A_REPORT);
    const found = await verifySnp(guest.evidence({ nonce: NONCE }), { nonce: NONCE });
    expectRequired(found, ...OF_A_REPORT, 'nonce_mismatch');
  });

  it('are these for a bare report with runtime data', async () => {
    const evidence = guest.evidence({ nonce: NONCE, runtimeData: 'nonce' });
    expectRequired(await verifySnp(evidence, { nonce: NONCE }), ...OF_A_REPORT, 'hcl_binding', 'nonce_mismatch');
  });

  it('are these for an Azure confidential VM', async () => {
    const all = [...OF_A_REPORT, ...OF_A_PARAVISOR, ...OF_A_QUOTE];
    expectRequired(await verifyAzure(vm.evidence()), ...all);
    const found = await verifyAzure(vm.evidence({ nonce: NONCE }), { nonce: NONCE });
    expectRequired(found, ...all, 'nonce_mismatch');
  });

  it('are these for a bare TD quote, and more with what comes beside it', async () => {
    const tdx = new TdxVerifier(newTdxVerifier(), new Set(), 2 ** 16);
    const endorsements = endorsing(PLATFORM.collateral());
    const judge = (options: TdxGuestEvidenceOptions, nonce: Uint8Array | null = null) => {
      const evidence = new TdxGuest({ platform: PLATFORM, ccel: [] }).evidence({ ccel: null, ...options });
      const binding = nonce === null ? null : expectedBinding(nonce, null);
      return tdx.open(evidence).verify({ at: AT, endorsements, binding });
    };
    expectRequired(await judge({}), ...OF_A_TD_QUOTE);
    expectRequired(await judge({ nonce: NONCE }, NONCE), ...OF_A_TD_QUOTE, 'nonce_mismatch');
    expectRequired(await judge({ runtimeData: { text: '{}' } }), ...OF_A_TD_QUOTE, 'hcl_binding');
    expectRequired(await judge({ ccel: [] }), ...OF_A_TD_QUOTE, ...OF_AN_EVENT_LOG);
  });

  it('are these for an Azure confidential VM on TDX', async () => {
    const all: readonly CheckId[] = [
      'tdx_report_mismatch',
      ...OF_A_TD_QUOTE,
      ...OF_A_PARAVISOR.filter((id) => id !== 'snp_vmpl'),
      ...OF_A_QUOTE,
    ];
    const judged = (found: Verification) => [...new Set(found.required)].sort();
    const bare = await verifyAzureTdx(TDX_VM.evidence());
    expectVerified(bare);
    expect(judged(bare)).toEqual(sorted(all));
    const akRoots = { azure: AK_PKI.pins, configured: new Set<string>(), paravisorsSince: null };
    const ak = AK_PKI.certificate({ key: TDX_VM.vtpm.publicJwk });
    const found = await verifyAzureTdx(TDX_VM.evidence({ nonce: NONCE, ak }), { nonce: NONCE, akRoots });
    expectVerified(found);
    expect(judged(found)).toEqual(sorted([...all, ...OF_AN_AK_CERTIFICATE, 'nonce_mismatch']));
  });

  it('are these for a vTPM by itself', async () => {
    const all: readonly CheckId[] = ['ak_cert_untrusted', 'cert_validity', ...OF_A_QUOTE];
    expectRequired(await verifyTpm(MACHINE.evidence()), ...all);
    const found = await verifyTpm(MACHINE.evidence({ nonce: NONCE }), { nonce: NONCE });
    expectRequired(found, ...all, 'nonce_mismatch');
    expect(sorted(found.checks.map(({ id }) => id))).toEqual(sorted(found.required));
  });

  it('are more where a certificate of the attestation key is sent', async () => {
    const ak = AK_PKI.certificate({ key: vm.vtpm.publicJwk });
    const akRoots = { azure: AK_PKI.pins, configured: new Set<string>(), paravisorsSince: null };
    const found = await verifyAzure(vm.evidence({ ak }), { akRoots });
    expectVerified(found);
    expect([...new Set(found.required)].sort()).toEqual(
      sorted([...OF_A_REPORT, ...OF_A_PARAVISOR, ...OF_A_QUOTE, ...OF_AN_AK_CERTIFICATE]),
    );
  });

  it('are all that a verification makes, but for what is found in the certificates and lists', async () => {
    const found = await verifyAzure(vm.evidence({ nonce: NONCE }), { nonce: NONCE });
    const ofLists = ['cert_revoked', 'crl_unconfirmed'] as const;
    expect(sorted(found.checks.map(({ id }) => id))).toEqual(sorted([...found.required, ...ofLists]));
  });
});

import { describe, expect, it } from 'vitest';
import type { CheckId } from '../../../src/model/codes.js';
import type { Verification } from '../../../src/model/verification.js';
import { createVirtualMachine, SnpGuest } from '../../lab/index.js';
import { expectVerified, NONCE, PKI, verifyAzure, verifySnp } from './fixture.js';

/** What has to have an outcome before anything may be allowed: a check that is missing here could go missing unseen. */

const vm = await createVirtualMachine({ pki: PKI });
const guest = new SnpGuest(vm.platform);

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

  it('are all that a verification makes, but for what is found in the certificates and lists', async () => {
    const found = await verifyAzure(vm.evidence({ nonce: NONCE }), { nonce: NONCE });
    expect(sorted(found.checks.map(({ id }) => id))).toEqual(sorted([...found.required, 'cert_revoked']));
  });
});

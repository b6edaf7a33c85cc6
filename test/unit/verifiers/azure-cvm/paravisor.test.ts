import { describe, expect, it } from 'vitest';
import type { Verification } from '../../../../src/model/verification.js';
import { appraise } from '../../../../src/policy/appraise.js';
import { BUILT_IN_POLICIES } from '../../../../src/policy/built-in-policies.js';
import { parsePolicy } from '../../../../src/policy/policy-document.js';
import { createVirtualMachine } from '../../../lab/index.js';
import { AT, expectVerified, failed, idsWith, NONCE, PKI, verifyAzure } from '../fixture.js';

const vm = await createVirtualMachine({ pki: PKI });
/** A guest on a genuine server that writes claims of its own, with a key in software. */
const impostor = await createVirtualMachine({
  pki: PKI,
  platform: vm.platform,
  report: { fields: { idKeyDigest: new Uint8Array(48) } },
});

const [baseline] = BUILT_IN_POLICIES;
if (baseline === undefined) throw new Error('no baseline');

const ANY_PARAVISOR = parsePolicy(
  JSON.stringify({
    apiVersion: 'veritee/v1',
    id: 'any-paravisor',
    version: 1,
    accepts: ['az-snp-vtpm'],
    minimums: { snp: { Milan: { snp: 24, microcode: 219 } } },
    secureBoot: 'required',
    paravisor: 'any',
  }),
);

function under(policy: typeof ANY_PARAVISOR, verification: Verification) {
  return appraise(policy, {
    evidenceType: 'az-snp-vtpm',
    verification,
    nonce: { origin: 'caller' },
    routes: new Map(),
    boundKey: false,
    at: AT,
  });
}

describe('which paravisor', () => {
  it('HCL-15 twin: the paravisor of Azure is known by its id key, and the baseline allows', async () => {
    const found = await verifyAzure(vm.evidence({ nonce: NONCE }), { nonce: NONCE });
    expectVerified(found);
    expect(found.claims.hcl?.paravisor).toEqual({ known: true, by: 'idKeyDigest' });
    const appraisal = under(baseline, found);
    expect(failed(appraisal)).toEqual([]);
    expect(appraisal.outcome).toBe('allow');
    expect(under(ANY_PARAVISOR, found).checks.filter(({ id }) => id === 'hcl_paravisor_unknown')).toMatchObject([
      { result: 'pass' },
    ]);
  });

  it('HCL-15 is unknown for a genuine guest that is none, although everything verifies', async () => {
    const found = await verifyAzure(impostor.evidence({ nonce: NONCE }), { nonce: NONCE });
    expectVerified(found);
    expect(found.claims.hcl?.paravisor).toEqual({ known: false, by: null });
  });

  it('HCL-15 is denied under the baseline where it is unknown', async () => {
    const found = await verifyAzure(impostor.evidence({ nonce: NONCE }), { nonce: NONCE });
    const appraisal = under(baseline, found);
    expect(appraisal.outcome).toBe('deny');
    expect(failed(appraisal)).toEqual(['hcl_paravisor']);
  });

  it('HCL-15 is allowed with a warning under paravisor any', async () => {
    const found = await verifyAzure(impostor.evidence({ nonce: NONCE }), { nonce: NONCE });
    const appraisal = under(ANY_PARAVISOR, found);
    expect(appraisal.outcome).toBe('allow');
    expect(idsWith(appraisal, 'warn')).toContain('hcl_paravisor_unknown');
  });

  it('HCL-15 is unknown for an id key that differs in one bit', async () => {
    const idKeyDigest = Uint8Array.from(vm.platform.reportFields().idKeyDigest);
    idKeyDigest[47] = (idKeyDigest[47] ?? 0) ^ 1;
    const found = await verifyAzure(vm.evidence({ nonce: NONCE, report: { fields: { idKeyDigest } } }), {
      nonce: NONCE,
    });
    expectVerified(found);
    expect(found.claims.hcl?.paravisor.known).toBe(false);
  });

  it('SNP-22 comes with an advisory for Milan under every policy', async () => {
    const found = await verifyAzure(vm.evidence({ nonce: NONCE }), { nonce: NONCE });
    expect(idsWith(under(baseline, found), 'warn')).toContain('snp_product_advisory');
  });

  it('is accepted on every line, and from endorsements of a source', async () => {
    for (const part of ['Genoa', 'Turin'] as const) {
      const other = await createVirtualMachine({ pki: PKI, part, vtpm: vm.vtpm });
      const none = { vek: null, chain: null, crls: [] };
      const found = await verifyAzure(other.evidence({ nonce: NONCE, endorsements: none }), {
        nonce: NONCE,
        endorsements: other.platform.endorsementSet(),
      });
      expectVerified(found);
      expect(under(baseline, found).outcome).toBe('allow');
    }
  });
});

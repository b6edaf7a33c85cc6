import { describe, expect, it } from 'vitest';
import type { Verification } from '../../../../src/core/verification.js';
import { appraise } from '../../../../src/policy/appraise/appraise.js';
import { BUILT_IN_POLICIES } from '../../../../src/policy/document/built-in-policies.js';
import { parsePolicy } from '../../../../src/policy/document/policy-document.js';
import { AZURE_ID_KEY_DIGEST, createVirtualMachine, SnpGuest } from '../../../lab/index.js';
import { AT, expectVerified, failed, idsWith, NONCE, PKI, verifyAzure, verifySnp } from '../fixture.js';

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
    results: new Map(),
    resets: { state: 'none' },
    boundKey: false,
    keyAsPem: false,
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

  it.each([
    [9, 'deny', ['hcl_paravisor']],
    [0x10009, 'deny', ['hcl_paravisor']],
    [10, 'allow', []],
    [0x1000b, 'allow', []],
  ] as const)('HCL-16 at GUEST_SVN %i with a floor of 10: %s', async (guestSvn, outcome, codes) => {
    const evidence = vm.evidence({ nonce: NONCE, report: { fields: { guestSvn } } });
    const found = await verifyAzure(evidence, { nonce: NONCE, floors: new Map([[AZURE_ID_KEY_DIGEST, 10]]) });
    expectVerified(found);
    const appraisal = under(baseline, found);
    expect([appraisal.outcome, failed(appraisal)]).toEqual([outcome, codes]);
    const check = appraisal.checks.find(({ id }) => id === 'hcl_paravisor');
    if (outcome === 'deny') {
      expect(check).toMatchObject({
        expected: { setting: 'azure.paravisors.idKeyDigests', minGuestSvn: 10 },
        actual: { idKeyDigest: AZURE_ID_KEY_DIGEST, guestSvn },
      });
    }
  });

  it('HCL-16 holds for bare evidence with the runtime claims of a paravisor', async () => {
    const guest = new SnpGuest(vm.platform);
    const known = async (guestSvn: number) => {
      const runtimeData = vm.runtimeClaims();
      const evidence = guest.evidence({ runtimeData, report: { fields: { guestSvn } } });
      const found = await verifySnp(evidence, { floors: new Map([[AZURE_ID_KEY_DIGEST, 10]]) });
      expect(found.paravisorMinGuestSvn).toBe(10);
      return found.claims.hcl?.paravisor.known;
    };
    expect([await known(9), await known(10)]).toEqual([false, true]);
  });

  it('HCL-18 a quote that selects PCR 16 alone is denied under the baseline', async () => {
    const judge = async (indices: readonly number[]) => {
      const quote = { selections: [{ bank: 'sha256', indices }] } as const;
      const found = await verifyAzure(vm.evidence({ nonce: NONCE, quote }), { nonce: NONCE });
      expectVerified(found);
      return failed(under(baseline, found));
    };
    expect(await judge([16])).toEqual(['tpm_pcr_not_quoted']);
    expect(await judge([0, 1, 2, 3, 4, 5, 6])).toEqual(['tpm_pcr_not_quoted']);
    expect(await judge([0, 1, 2, 3, 4, 5, 6, 7])).toEqual([]);
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

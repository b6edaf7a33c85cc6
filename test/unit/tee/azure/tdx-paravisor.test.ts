import { describe, expect, it } from 'vitest';
import type { CheckId } from '../../../../src/core/codes.js';
import { appraise } from '../../../../src/policy/appraise/appraise.js';
import { BUILT_IN_POLICIES } from '../../../../src/policy/document/built-in-policies.js';
import { type Policy, parsePolicy } from '../../../../src/policy/document/policy-document.js';
import { createAzureAkPki } from '../../../lab/index.js';
import { AT, expectVerified, failed, NONCE } from '../fixture.js';
import { TDX_VM, verifyAzureTdx } from './tdx-fixture.js';

const AK_PKI = createAzureAkPki({ at: AT });
const AK_ROOTS = { azure: AK_PKI.pins, configured: new Set<string>() };
/** Before any certificate of the lab was issued. */
const SINCE = new Date('2025-10-01T00:00:00Z');

const [baseline] = BUILT_IN_POLICIES;
if (baseline === undefined) throw new Error('no baseline');

const policyWith = (members: object): Policy =>
  parsePolicy(
    JSON.stringify({
      apiVersion: 'veritee/v1',
      id: 'own',
      version: 1,
      accepts: ['az-tdx-vtpm'],
      minimums: { tdx: { acceptedStatuses: ['UpToDate'] } },
      ...members,
    }),
  );

interface Known {
  readonly mrtds?: readonly string[];
  readonly vm?: 'ConfidentialVM' | 'TrustedVM';
  readonly paravisorsSince?: Date | null;
}

/** The outcomes of policies for a genuine TD whose runtime claims and AK are valid. */
async function under(policy: Policy, { mrtds = [], vm, paravisorsSince = SINCE }: Known = {}) {
  const ak = vm === undefined ? null : AK_PKI.certificate({ key: TDX_VM.vtpm.publicJwk, vm });
  const verification = await verifyAzureTdx(TDX_VM.evidence({ nonce: NONCE, ak }), {
    nonce: NONCE,
    mrtds,
    akRoots: { ...AK_ROOTS, paravisorsSince },
  });
  expectVerified(verification);
  return appraise(policy, {
    evidenceType: 'az-tdx-vtpm',
    verification,
    nonce: { origin: 'caller' },
    results: new Map(),
    resets: { state: 'none' },
    boundKey: false,
    keyAsPem: false,
    at: AT,
  });
}

describe('which paravisor, on TDX', () => {
  it('HCL-15 twin: the baseline allows one whose MRTD the operator lists', async () => {
    const { outcome } = await under(baseline, { mrtds: ['c4'.repeat(48)] });
    expect(outcome).toBe('allow');
  });

  it('HCL-15 is not known by its MRTD where a VM inside of the TD requested the report', async () => {
    const requestedBy = async (vmId: number) => {
      const tdQuote = {
        version: 5,
        body: 'td15Extended',
        fields: { extension: { vmId: Uint8Array.of(vmId) } },
      } as const;
      const found = await verifyAzureTdx(TDX_VM.evidence({ nonce: NONCE, tdQuote }), { nonce: NONCE });
      expectVerified(found);
      return found.claims.hcl?.paravisor;
    };
    expect(await requestedBy(0)).toEqual({ known: true, by: 'mrtd' });
    expect(await requestedBy(1)).toEqual({ known: false, by: null });
  });

  it.each<[string, Known, readonly CheckId[]]>([
    ['with nothing that knows it', {}, ['hcl_paravisor']],
    ['with the MRTD of another listed', { mrtds: ['c5'.repeat(48)] }, ['hcl_paravisor']],
    ['with the AK of a Trusted Launch VM', { vm: 'TrustedVM' }, ['hcl_paravisor']],
    ['with the AK of a confidential VM, perhaps of his own', { vm: 'ConfidentialVM' }, ['secure_boot_unknown']],
  ])('HCL-15 is denied under the baseline %s', async (_, known, codes) => {
    const appraisal = await under(baseline, known);
    expect(appraisal.outcome).toBe('deny');
    expect(failed(appraisal)).toEqual(codes);
  });

  it.each<[string, Known]>([
    ['where AK certificates do not count', { vm: 'ConfidentialVM', paravisorsSince: null }],
    ['from before the day on which they begin to count', { vm: 'ConfidentialVM', paravisorsSince: AT }],
  ])('HCL-17 denies the AK of a confidential VM %s', async (_, known) => {
    for (const policy of [baseline, policyWith({})]) {
      const appraisal = await under(policy, known);
      expect([appraisal.outcome, failed(appraisal)]).toEqual(['deny', ['hcl_paravisor']]);
    }
    expect((await under(policyWith({}), { ...known, paravisorsSince: SINCE })).outcome).toBe('allow');
  });

  it('HCL-15 is allowed by the AK of a confidential VM where the policy leaves Secure Boot open', async () => {
    expect((await under(policyWith({}), { vm: 'ConfidentialVM' })).outcome).toBe('allow');
    expect((await under(policyWith({}), { vm: 'TrustedVM' })).outcome).toBe('deny');
  });

  it('HCL-15 is allowed with a warning under paravisor any', async () => {
    const { outcome, checks } = await under(policyWith({ paravisor: 'any' }));
    expect(outcome).toBe('allow');
    expect(checks.filter(({ result }) => result === 'warn').map(({ id }) => id)).toContain('hcl_paravisor_unknown');
  });
});

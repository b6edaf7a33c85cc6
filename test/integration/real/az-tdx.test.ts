import { describe, expect, it } from 'vitest';
import type { Decision } from '../../../src/core/decision.js';
import { FormatError } from '../../../src/core/errors.js';
import type { AzTdxVtpmEvidence } from '../../../src/core/evidence.js';
import { AZURE_VTPM_ROOT_PINS } from '../../../src/tee/shared/attestation-key/ak-roots.js';
import { readVerifyRequest } from '../../../src/wire/read-requests.js';
import { BASELINE, judge, verifiersOf } from '../../judge.js';
import { azTdxEvidenceOf, nonceOf, realAkOf } from '../../real-evidence.js';
import {
  applyRecipe,
  haveVectors,
  type Recipe,
  readVector,
  recipes,
  type Vector,
  vector,
  vectors,
} from '../../vectors.js';

/** Whatever the age of platform and paravisor: what is asked here is whether the evidence is genuine. */
const GENUINE = `{ apiVersion: veritee/v1, id: genuine, version: 1, accepts: [az-tdx-vtpm], minimums: { tdx: any },
  freshness: none, paravisor: any }`;
/** The baseline, but for Secure Boot. */
const OPEN_BOOT = `{ apiVersion: veritee/v1, id: open-boot, version: 1, accepts: [az-tdx-vtpm],
  minimums: { tdx: { acceptedStatuses: [UpToDate], earliestTcbDate: "2024-03-13" } } }`;

const CURRENT = 'az-tdx-v4-akchain-2026';
/** Long before its AK certificate was issued, and after the fix of CVE-2025-49707. */
const SINCE = '2025-10-01';
const whole = haveVectors ? vectors('az-tdx-vtpm').filter(({ id }) => id !== 'az-tdx-hcl-only') : [];

interface Judging {
  readonly evidence?: Partial<AzTdxVtpmEvidence>;
  readonly mrtds?: readonly string[];
  readonly policy?: string | typeof BASELINE;
  readonly at?: Date;
  /** From when on certificates of attestation keys make a paravisor known. */
  readonly akCertificates?: string;
  readonly nonce?: Uint8Array | null;
}

function judgeVector(entry: Vector, judging: Judging = {}): Promise<Decision> {
  const { mrtds = [], policy = GENUINE, at = new Date(entry.verifyAt ?? ''), nonce = nonceOf(entry) } = judging;
  const { akCertificates } = judging;
  const paravisorsSince = akCertificates === undefined ? null : new Date(akCertificates);
  const akRoots = { azure: AZURE_VTPM_ROOT_PINS, configured: new Set<string>(), paravisorsSince };
  const evidence = { ...azTdxEvidenceOf(entry), ...judging.evidence };
  const { collateral } = evidence;
  return judge(
    evidence,
    { nonce },
    {
      verifiers: verifiersOf(undefined, { mrtds, akRoots }),
      endorsements: { snp: null, tdx: collateral === null ? null : { value: collateral, origin: 'evidence' } },
      at,
      policies: [policy],
    },
  );
}

describe.skipIf(!haveVectors)('real Azure VMs on TDX get the verdict of their manifest, and its facts', () => {
  it.each(whole)('$id $expect.verdict', async (entry) => {
    const { claims, decision, freshness } = await judgeVector(entry);
    expect(decision).toBe('allow');
    expect(freshness.bound).toEqual(['tpm.extraData']);
    const { facts } = entry.expect;
    const { tcb, tcbInfo } = facts.collateral;
    expect(claims.tdx).toMatchObject({
      quoteVersion: facts.tdx.version,
      mrtd: facts.tdx.mrTd,
      mrSeam: facts.tdx.mrSeam,
      reportData: facts.tdx.reportData,
      fmspc: facts.tdx.pck.fmspc,
      tcb: {
        platformStatus: tcb.platformTcbStatus,
        moduleStatus: tcb.moduleTcbStatus,
        qeStatus: tcb.qeTcbStatus,
        evaluationDataNumber: tcbInfo.tcbEvaluationDataNumber,
      },
    });
    expect(claims.tpm?.pcrs['sha256']).toEqual(facts.pcrsSha256);
    expect(claims.hcl).toMatchObject({
      reportType: 'tdx',
      userData: facts.hcl.userData,
      vmConfiguration: { tpmPersisted: false, secureBoot: true },
    });
  });

  it('TDX-22 HCL report alone: a TDREPORT is no quote', () => {
    const hclReport = Buffer.from(readVector('az-tdx-vtpm/az-tdx-hcl-only.hcl-report.bin')).toString('base64url');
    const evidence = { type: 'az-tdx-vtpm', hclReport, tpmQuote: { message: '', signature: '', pcrs: {} } };
    expect(() => readVerifyRequest(Buffer.from(JSON.stringify({ evidence })))).toThrow(
      expect.objectContaining({ code: 'tdx_not_a_quote', pointer: '/evidence/tdQuote' }),
    );
  });

  it('TDX-22 a real TDREPORT in the place of the quote', async () => {
    const entry = vector(CURRENT);
    const { hclReport } = azTdxEvidenceOf(entry);
    const tdQuote = hclReport.subarray(32, 32 + 1024);
    await expect(judgeVector(entry, { evidence: { tdQuote } })).rejects.toMatchObject({ code: 'tdx_not_a_quote' });
  });
});

describe.skipIf(!haveVectors)('a current Azure VM on TDX', () => {
  const entry = haveVectors ? vector(CURRENT) : undefined;
  if (entry === undefined) return;
  const mrtds = [entry.expect.facts.tdx.mrTd];
  const ak = realAkOf(entry);

  it('is allowed under the baseline when its MRTD is configured, with or without its AK certificate', async () => {
    for (const evidence of [{}, { ak }]) {
      const decision = await judgeVector(entry, { policy: BASELINE, mrtds, evidence });
      expect(decision.reasons).toEqual([]);
      expect(decision.decision).toBe('allow');
      expect(decision.claims.hcl?.paravisor).toEqual({ known: true, by: 'mrtd' });
    }
  });

  it('HCL-15 with its AK certificate alone is denied for Secure Boot, which then nothing says', async () => {
    const decision = await judgeVector(entry, { policy: BASELINE, evidence: { ak }, akCertificates: SINCE });
    expect(decision.decision).toBe('deny');
    expect(decision.reasons).toEqual(['secure_boot_unknown']);
    expect(decision.claims.hcl?.paravisor).toEqual({ known: true, by: 'akCertificate' });
    expect(decision.claims.hcl?.vmConfiguration).toBeUndefined();
  });

  it('HCL-15 with its AK certificate alone is allowed where the policy leaves Secure Boot open', async () => {
    const decision = await judgeVector(entry, { policy: OPEN_BOOT, evidence: { ak }, akCertificates: SINCE });
    expect(decision.reasons).toEqual([]);
    expect(decision.decision).toBe('allow');
  });

  it('HCL-17 with its AK certificate alone is denied where such certificates do not count, or only later ones', async () => {
    for (const since of [{}, { akCertificates: '2027-01-01' }]) {
      const decision = await judgeVector(entry, { policy: OPEN_BOOT, evidence: { ak }, ...since });
      expect(decision.reasons).toEqual(['hcl_paravisor']);
    }
  });

  it('HCL-15 with neither is denied: nothing says whose paravisor it is', async () => {
    expect((await judgeVector(entry, { policy: BASELINE })).reasons).toEqual(['hcl_paravisor']);
  });

  it('HCL-14 is denied with a chain that does not reach the root, and with one of its own', async () => {
    const text = Buffer.from(readVector(`az-tdx-vtpm/${CURRENT}.ak-intermediates.pem`)).toString('utf8');
    for (const chain of [null, text]) {
      const decision = await judgeVector(entry, { policy: OPEN_BOOT, mrtds, evidence: { ak: { ...ak, chain } } });
      expect(decision.reasons).toEqual(['ak_cert_untrusted']);
    }
  });

  it('is denied under the baseline where its platform is out of date', async () => {
    const old = vector('az-tdx-v4-nonpersisted');
    const decision = await judgeVector(old, { policy: BASELINE, mrtds: [old.expect.facts.tdx.mrTd] });
    expect(decision.decision).toBe('deny');
    expect(decision.reasons).toContain('tdx_tcb_status');
  });

  it('is read from what the guest sent, as the same evidence', async () => {
    const old = vector('az-tdx-v4-nonpersisted');
    const value = JSON.parse(Buffer.from(readVector(`az-tdx-vtpm/${old.id}.evidence.json`)).toString('utf8'));
    const body = { evidence: { type: 'az-tdx-vtpm', dialect: 'trustee', value } };
    const { evidence } = readVerifyRequest(Buffer.from(JSON.stringify(body)));
    if (evidence.type !== 'az-tdx-vtpm') throw new Error('another type');
    const native = await judgeVector(old);
    const collateral = azTdxEvidenceOf(old).collateral;
    const read = await judgeVector(old, { evidence: { ...evidence, collateral } });
    expect(read.decision).toBe('allow');
    expect(read.evidence).toEqual(native.evidence);
  });
});

/** Codes that are right for each reason of the recipes (codes of the contract). */
const CODES: ReadonlyMap<string, readonly string[]> = new Map([
  ['hcl-parse', ['hcl_format', 'hcl_hash_type']],
  ['hcl-binding', ['hcl_binding', 'hcl_format']],
  ['td-quote-hcl-mismatch', ['tdx_report_mismatch', 'hcl_binding']],
  ['tpm-parse', ['tpm_magic', 'tpm_not_quote', 'tpm_format']],
  ['tpm-signature', ['tpm_signature']],
  ['tpm-nonce', ['nonce_mismatch']],
  ['tpm-pcr-digest', ['tpm_pcr_digest', 'tpm_pcr_selection', 'tpm_format']],
  ['ak-cert-key-mismatch', ['hcl_ak_mismatch']],
  ['ak-cert-chain', ['ak_cert_untrusted', 'cert_format', 'cert_validity']],
  ['tdx-signature', ['tdx_signature']],
  ['cert-validity', ['cert_validity']],
]);

async function codesOf(recipe: Recipe): Promise<readonly string[]> {
  const base = vector(recipe.base);
  const read = (file: string) => applyRecipe(recipe, file);
  const at = new Date((recipe.op === 'clock' ? recipe.verifyAt : base.verifyAt) ?? '');
  const evidence = { ...azTdxEvidenceOf(base, read), ...(base.id === CURRENT ? { ak: realAkOf(base, read) } : {}) };
  try {
    const decision = await judgeVector(base, { evidence, at });
    expect(decision.decision).not.toBe('allow');
    return decision.reasons;
  } catch (error) {
    if (error instanceof FormatError) return [error.code];
    throw error;
  }
}

describe.skipIf(!haveVectors)('mutations of real evidence are refused, for their reason', () => {
  it.each(haveVectors ? recipes('az-tdx-vtpm') : [])('$id $base: $field', async (recipe) => {
    const codes = await codesOf(recipe);
    const right = [recipe.expectedReason, ...recipe.alsoFails].flatMap((reason) => CODES.get(reason) ?? []);
    expect(
      codes.filter((code) => right.includes(code)),
      `${codes.join()} for ${recipe.expectedReason}`,
    ).not.toEqual([]);
    expect(codes).not.toContain('internal_error');
  });
});

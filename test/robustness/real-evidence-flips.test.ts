import { describe, expect, it } from 'vitest';
import { NO_ENDORSEMENTS } from '../../src/core/endorsement.js';
import { FormatError } from '../../src/core/errors.js';
import type { AzSnpVtpmEvidence } from '../../src/core/evidence.js';
import { parsePolicy } from '../../src/policy/document/policy-document.js';
import { judge, verifiersOf } from '../judge.js';
import { wholeHclReport } from '../lab/index.js';
import { azSnpEvidenceOf, nonceOf, realChains } from '../real-evidence.js';
import { haveVectors, vector } from '../vectors.js';

/** As lenient as a policy can be: every flipped bit has to be found by what no policy can switch off. */
const LENIENT = `{ apiVersion: veritee/v1, id: lenient, version: 1, accepts: [az-snp-vtpm], minimums: { snp: any },
  freshness: none, revocation: best-effort, allowDebug: true, paravisor: any }`;

const ID = 'az-snp-milan-hcl1-a';
const verifiers = verifiersOf();
const policy = parsePolicy(LENIENT);
const endorsements = haveVectors ? realChains('vcek') : NO_ENDORSEMENTS;
const entry = haveVectors ? vector(ID) : null;

interface Tally {
  allowed: string[];
  internal: string[];
  judged: number;
}

/** Judges one mutant. A thrown error other than a FormatError fails the test. */
async function tally(into: Tally, name: string, evidence: AzSnpVtpmEvidence): Promise<void> {
  if (entry === null) throw new Error('no vectors');
  into.judged += 1;
  try {
    const decision = await judge(
      evidence,
      { nonce: nonceOf(entry) },
      {
        verifiers,
        endorsements,
        at: new Date(entry.verifyAt ?? ''),
        policies: [policy],
      },
    );
    if (decision.decision === 'allow') into.allowed.push(name);
    if (decision.reasons.includes('internal_error')) into.internal.push(name);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
}

/** A place in the evidence that holds bytes. */
interface Part {
  readonly name: string;
  readonly bytes: (evidence: AzSnpVtpmEvidence) => Uint8Array;
  readonly replace: (evidence: AzSnpVtpmEvidence, bytes: Uint8Array) => AzSnpVtpmEvidence;
}

const PARTS: readonly Part[] = [
  { name: 'hclReport', bytes: (e) => wholeHclReport(e), replace: (e, hclReport) => ({ ...e, hclReport }) },
  {
    name: 'message',
    bytes: (e) => e.tpmQuote.message,
    replace: (e, message) => ({ ...e, tpmQuote: { ...e.tpmQuote, message } }),
  },
  {
    name: 'signature',
    bytes: (e) => e.tpmQuote.signature,
    replace: (e, signature) => ({ ...e, tpmQuote: { ...e.tpmQuote, signature } }),
  },
  {
    name: 'vcek',
    bytes: ({ endorsements: { vek } }) => (vek !== null && 'der' in vek ? vek.der : new Uint8Array()),
    replace: (e, der) => ({ ...e, endorsements: { ...e.endorsements, vek: { der } } }),
  },
  ...Array.from(
    { length: 24 },
    (_, index): Part => ({
      name: `pcr${index}`,
      bytes: (e) => e.tpmQuote.pcrs.get('sha256')?.get(index) ?? new Uint8Array(),
      replace: (e, value) => {
        const values = new Map(e.tpmQuote.pcrs.get('sha256')).set(index, value);
        return { ...e, tpmQuote: { ...e.tpmQuote, pcrs: new Map([['sha256', values]]) } };
      },
    }),
  ),
];

/** The report is followed by zeros up to the size of its NV index; how many is not said anywhere. */
const CLAIMS_END = 2346;

describe.skipIf(!haveVectors)('real evidence with a change anywhere', () => {
  const evidence = () => azSnpEvidenceOf(vector(ID));

  it('is allowed as it is', async () => {
    const result: Tally = { allowed: [], internal: [], judged: 0 };
    await tally(result, 'unchanged', evidence());
    expect(result.allowed).toEqual(['unchanged']);
  });

  it.each(PARTS)(
    'HCL-01 SNP-02 SNP-03 is never allowed with one bit of $name flipped',
    async ({ bytes, replace }) => {
      const original = evidence();
      const whole = bytes(original);
      const result: Tally = { allowed: [], internal: [], judged: 0 };
      for (let bit = 0; bit < whole.byteLength * 8; bit += 1) {
        const changed = Uint8Array.from(whole);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        await tally(result, `bit ${bit}`, replace(original, changed));
      }
      expect(result).toEqual({ allowed: [], internal: [], judged: whole.byteLength * 8 });
      expect(result.judged).toBeGreaterThan(0);
    },
    600_000,
  );

  it.each(PARTS)(
    'is never allowed with $name cut short, zero padding excepted',
    async ({ name, bytes, replace }) => {
      const original = evidence();
      const whole = bytes(original);
      const result: Tally = { allowed: [], internal: [], judged: 0 };
      const end = name === 'hclReport' ? CLAIMS_END : whole.byteLength;
      for (let length = 0; length < end; length += 1)
        await tally(result, `${length} bytes`, replace(original, whole.subarray(0, length)));
      expect(result).toEqual({ allowed: [], internal: [], judged: end });
    },
    600_000,
  );

  it.each(PARTS)(
    'is never allowed with 1 to 64 more bytes after $name, zero padding excepted',
    async ({ name, bytes, replace }) => {
      const original = evidence();
      const result: Tally = { allowed: [], internal: [], judged: 0 };
      for (let more = 1; more <= 64; more += 1) {
        for (const fill of name === 'hclReport' ? [0xff] : [0x00, 0xff]) {
          await tally(
            result,
            `${more} of ${fill}`,
            replace(original, Buffer.concat([bytes(original), Buffer.alloc(more, fill)])),
          );
        }
      }
      expect(result.allowed).toEqual([]);
      expect(result.internal).toEqual([]);
    },
  );

  it('is allowed with more, or less, of the zero padding that real reports carry', async () => {
    const original = evidence();
    const result: Tally = { allowed: [], internal: [], judged: 0 };
    await tally(result, 'more', { ...original, hclReport: Buffer.concat([original.hclReport, Buffer.alloc(64)]) });
    await tally(result, 'none', { ...original, hclReport: original.hclReport.subarray(0, CLAIMS_END) });
    expect(result.allowed).toEqual(['more', 'none']);
  });
});

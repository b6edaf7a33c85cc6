import { describe, expect, it } from 'vitest';
import type { PcrBank, TpmQuoteInput } from '../../../../src/core/evidence.js';
import { appraise } from '../../../../src/policy/appraise/appraise.js';
import { parsePolicy } from '../../../../src/policy/document/policy-document.js';
import { Tpm2QuoteVerifier } from '../../../../src/tee/tpm/tpm-quote-verifier.js';
import { createVirtualMachine, type PcrSelectionFields, VirtualTpm } from '../../../lab/index.js';
import { AT, expectVerified, failed, NONCE, PKI, verifyAzure } from '../fixture.js';
import { expectQuoteVerified, judgeQuote, QUOTE } from './quote-fixture.js';

const tpm = await VirtualTpm.create();
const FORGED = new Uint8Array(32).fill(0xf0);

const sha256 = (...indices: readonly number[]): PcrSelectionFields => ({ bank: 'sha256', indices });
const quoteOf = (...selections: readonly PcrSelectionFields[]) => tpm.quote({ selections });
const hexOf = (index: number, bank: PcrBank = 'sha256') => Buffer.from(tpm.pcr(bank, index)).toString('hex');

const every = (count: number) => Array.from({ length: count }, (_, index) => index);

type Values = readonly (readonly [number, Uint8Array])[];
const values = (...indices: readonly number[]): Values => indices.map((index) => [index, tpm.pcr('sha256', index)]);

function withPcrs(quote: TpmQuoteInput, banks: Partial<Record<PcrBank, Values>>): TpmQuoteInput {
  const entries = Object.entries(banks) as [PcrBank, Values][];
  return { ...quote, pcrs: new Map(entries.map(([bank, list]) => [bank, new Map(list)])) };
}

const TPM_QUOTE_CHECKS = new Tpm2QuoteVerifier().required;

/** Denied, each check listed once, and not one PCR of it is a claim. */
function expectNoPcrs(quote: TpmQuoteInput, ...ids: readonly string[]): void {
  const found = judgeQuote(tpm, quote);
  expect(failed(found)).toEqual(ids);
  expect(found.checks.map(({ id }) => id).sort()).toEqual([...TPM_QUOTE_CHECKS].sort());
  expect(found.claims?.pcrs).toEqual({ sha256: {} });
}

describe('PCR values of a quote', () => {
  it('are claims by the index that the signed selection names', () => {
    const found = judgeQuote(tpm, quoteOf(sha256(0, 7, 8, 14)));
    expectQuoteVerified(found);
    expect(found.claims?.pcrs).toEqual({ sha256: { 0: hexOf(0), 7: hexOf(7), 8: hexOf(8), 14: hexOf(14) } });
  });

  it('are the same claims in whatever order they were sent', () => {
    const quote = quoteOf(sha256(0, 4, 7));
    const reversed = withPcrs(quote, { sha256: values(7, 4, 0) });
    expectQuoteVerified(judgeQuote(tpm, reversed));
    expect(judgeQuote(tpm, reversed).claims).toEqual(judgeQuote(tpm, quote).claims);
  });

  it('TPM-04 are denied with a value outside of the signed selection', () => {
    const quote = quoteOf(sha256(0, 7));
    expectNoPcrs(withPcrs(quote, { sha256: [...values(0, 7), [8, FORGED]] }), 'tpm_pcr_selection');
    expectNoPcrs(withPcrs(quote, { sha256: [...values(0, 7), [8, tpm.pcr('sha256', 8)]] }), 'tpm_pcr_selection');
  });

  it('are known by the signed selection, whatever was sent', () => {
    const quote = quoteOf(sha256(0, 7, 23), { bank: 'sha1', indices: [9] });
    const sha1: Values = [[9, tpm.pcr('sha1', 9)]];
    const sent: readonly (readonly [Values, readonly string[]])[] = [
      [values(0, 7, 23), []],
      [values(0, 7), ['tpm_pcr_selection']],
      [[...values(0, 7), [23, FORGED]], ['tpm_pcr_digest']],
    ];
    for (const [sha256Values, ids] of sent) {
      const found = judgeQuote(tpm, withPcrs(quote, { sha1, sha256: sha256Values }));
      expect([failed(found), found.selectedPcrs]).toEqual([ids, [0, 7, 23]]);
    }
  });

  it('TPM-04 are denied under another index than the signed one, although they hash to the digest', () => {
    const quote = quoteOf(sha256(0, 9));
    const relabelled: Values = [
      [0, tpm.pcr('sha256', 0)],
      [8, tpm.pcr('sha256', 9)],
    ];
    expectNoPcrs(withPcrs(quote, { sha256: relabelled }), 'tpm_pcr_selection');
  });

  it('TPM-04 are denied under the index of another selected PCR', () => {
    const swapped: Values = [
      [4, tpm.pcr('sha256', 7)],
      [7, tpm.pcr('sha256', 4)],
    ];
    expectNoPcrs(withPcrs(quoteOf(sha256(4, 7)), { sha256: swapped }), 'tpm_pcr_digest');
  });

  it('TPM-04 are denied in another bank than the signed one', () => {
    const own = new Uint8Array(48).fill(1);
    const quote = quoteOf(sha256(7), { bank: 'sha384', indices: [8] });
    expectNoPcrs(withPcrs(quote, { sha256: [...values(7), [8, FORGED]] }), 'tpm_pcr_selection');
    expectNoPcrs(withPcrs(quote, { sha256: [...values(7), [8, FORGED]], sha384: [[8, own]] }), 'tpm_pcr_selection');
    const bothOther = withPcrs(quoteOf({ bank: 'sha1', indices: [7] }), { sha256: values(7) });
    expectNoPcrs(bothOther, 'tpm_pcr_selection', 'tpm_weak_bank');
  });

  it('TPM-04 that were not quoted satisfy no policy', async () => {
    const vm = await createVirtualMachine({ pki: PKI, vtpm: tpm });
    const policy = parsePolicy(
      JSON.stringify({
        apiVersion: 'veritee/v1',
        id: 'pcr-8',
        version: 1,
        accepts: ['az-snp-vtpm'],
        minimums: { snp: 'any' },
        referenceValues: [{ tpm: { pcrs: { sha256: { 8: [hexOf(8)] } } } }],
      }),
    );
    const judge = async (...indices: readonly number[]) => {
      const evidence = vm.evidence({ nonce: NONCE, quote: { selections: [sha256(...indices)] } });
      const verification = await verifyAzure(evidence, { nonce: NONCE });
      expectVerified(verification);
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
    };
    expect((await judge(0, 7, 8)).outcome).toBe('allow');
    const without = await judge(0, 7);
    expect(without.outcome).toBe('deny');
    expect(failed(without)).toEqual(['tpm_pcr_not_quoted']);
  });

  it('TPM-05 are denied where the selection is empty', () => {
    expectNoPcrs(quoteOf(), 'tpm_pcr_selection');
    expectNoPcrs(withPcrs(quoteOf(), { sha256: values(0, 7) }), 'tpm_pcr_selection');
    expectNoPcrs(quoteOf(sha256()), 'tpm_pcr_selection');
  });

  it('TPM-05 are denied where resettable PCRs were quoted in place of the first ones', () => {
    const quote = quoteOf(sha256(16, 23));
    const relabelled: Values = [
      [0, tpm.pcr('sha256', 16)],
      [1, tpm.pcr('sha256', 23)],
    ];
    expectNoPcrs(withPcrs(quote, { sha256: relabelled }), 'tpm_pcr_selection');
    expect(judgeQuote(tpm, quote).claims?.pcrs).toEqual({ sha256: { 16: hexOf(16), 23: hexOf(23) } });
  });

  it('TPM-05 are denied where more or fewer were sent than are selected', () => {
    const quote = quoteOf(sha256(0, 4, 7));
    expectNoPcrs(withPcrs(quote, { sha256: values(0, 4, 7, 9) }), 'tpm_pcr_selection');
    expectNoPcrs(withPcrs(quote, { sha256: values(0, 7) }), 'tpm_pcr_selection');
    expectNoPcrs(withPcrs(quote, {}), 'tpm_pcr_selection');
  });

  it('TPM-05 are denied where an index is selected twice', () => {
    expectNoPcrs(quoteOf(sha256(0, 7), sha256(7)), 'tpm_pcr_selection');
    expectNoPcrs(quoteOf(sha256(7), sha256(7)), 'tpm_pcr_selection');
  });

  it('TPM-05 are denied where values of two banks were mixed', () => {
    const mixed = quoteOf(sha256(7), { bank: 'sha384', indices: [0] });
    expectNoPcrs(withPcrs(mixed, { sha256: values(7, 0) }), 'tpm_pcr_selection');
  });

  it('TPM-05 twin: a quote over several banks is fine where each value is under its own', () => {
    const found = judgeQuote(tpm, quoteOf({ bank: 'sha384', indices: [0, 8] }, sha256(7, 0)));
    expectQuoteVerified(found);
    expect(found.claims?.pcrs).toEqual({ sha256: { 0: hexOf(0), 7: hexOf(7) } });
  });

  it('TPM-05 are denied for a bank that has no name here', () => {
    expectNoPcrs(quoteOf(sha256(7), { bank: 0x0012, indices: [7] }), 'tpm_pcr_selection');
  });

  it('TPM-05 twin: an empty selection beside another one selects nothing', () => {
    expectQuoteVerified(judgeQuote(tpm, quoteOf(sha256(7), { bank: 'sha1', indices: [] })));
  });

  it('TPM-06 are denied where only SHA-1 values were quoted', () => {
    expectNoPcrs(quoteOf({ bank: 'sha1', indices: [0, 7] }), 'tpm_weak_bank');
    expectNoPcrs(quoteOf({ bank: 'sha1', indices: [0, 7] }, sha256()), 'tpm_weak_bank');
  });

  it('TPM-06 accepts SHA-1 beside SHA-256, and never makes a claim of it', () => {
    const found = judgeQuote(tpm, quoteOf({ bank: 'sha1', indices: [0, 4, 7] }, sha256(7)));
    expectQuoteVerified(found);
    expect(found.claims?.pcrs).toEqual({ sha256: { 7: hexOf(7) } });
  });

  it.each([0, 31, 33])('TPM-07 are refused with %i bytes', (length) => {
    const quote = withPcrs(quoteOf(sha256(0, 7)), { sha256: [...values(0), [7, new Uint8Array(length)]] });
    expect(() => judgeQuote(tpm, quote)).toThrow(
      expect.objectContaining({ name: 'FormatError', code: 'tpm_format', pointer: `${QUOTE}/pcrs/sha256/7` }),
    );
  });

  it('TPM-07 are refused where they are split otherwise with an equal concatenation', () => {
    const [a, b] = [tpm.pcr('sha256', 4), tpm.pcr('sha256', 7)];
    const all = Buffer.concat([a, b]);
    const split: Values = [
      [4, all.subarray(0, 31)],
      [7, all.subarray(31)],
    ];
    expect(() => judgeQuote(tpm, withPcrs(quoteOf(sha256(4, 7)), { sha256: split }))).toThrow(
      expect.objectContaining({ code: 'tpm_format' }),
    );
  });

  it.each(['sha1', 'sha384', 'sha512'] as const)(
    'TPM-07 are refused in the %s bank with the length of another',
    (bank) => {
      const quote = withPcrs(quoteOf(sha256(7), { bank, indices: [0] }), { sha256: values(7), [bank]: values(0) });
      expect(() => judgeQuote(tpm, quote)).toThrow(expect.objectContaining({ code: 'tpm_format' }));
    },
  );

  it.each([
    [
      'not sent, or not quoted',
      quoteOf(sha256(0, 1, 7)),
      values(0, 2),
      'not sent: PCRs 1, 7 (sha256); not quoted: PCR 2 (sha256)',
    ],
    ['selected twice', quoteOf(sha256(0, 7), sha256(7)), values(0, 7), 'selected more than once: PCR 7 (sha256)'],
  ])('are named where they are denied: those %s', (_which, quote, sent, differences) => {
    const found = judgeQuote(tpm, withPcrs(quote, { sha256: sent }));
    expect(found.checks.find(({ id }) => id === 'tpm_pcr_selection')).toMatchObject({
      actual: sent.map(([index]) => `sha256:${index}`),
      detail: `the PCR values sent are not exactly those that the signed selection names; ${differences}`,
    });
  });

  it('are all listed where there are 32 of them', () => {
    const quote = quoteOf(sha256(...every(24)), { bank: 'sha384', indices: every(8) });
    const found = judgeQuote(tpm, withPcrs(quote, {}));
    const { expected } = found.checks.find(({ id }) => id === 'tpm_pcr_selection') ?? {};
    expect(expected).toEqual([
      ...every(24).map((index) => `sha256:${index}`),
      ...every(8).map((index) => `sha384:${index}`),
    ]);
  });

  it('are denied where they do not hash to the signed digest', () => {
    const forged: Values = [...values(0), [7, FORGED]];
    expectNoPcrs(withPcrs(quoteOf(sha256(0, 7)), { sha256: forged }), 'tpm_pcr_digest');
    expectNoPcrs(tpm.quote({ selections: [sha256(7)], pcrDigest: new Uint8Array() }), 'tpm_pcr_digest');
  });

  it('are hashed with the hash of the signature, no other', () => {
    const signing = { form: 'tpmt', hash: 'sha384' } as const;
    expectNoPcrs(tpm.quote({ selections: [sha256(7)], signing, pcrHash: 'sha256' }), 'tpm_pcr_digest');
  });
});

describe('PCRs that firmware always extends', () => {
  it.each([0, 7])('are denied where PCR %i was quoted as zero', async (index) => {
    const empty = await VirtualTpm.create();
    empty.setPcr('sha256', index, new Uint8Array(32));
    const found = judgeQuote(empty, empty.quote());
    expect(failed(found)).toEqual(['tpm_pcr']);
    expect(found.claims?.pcrs).toEqual({ sha256: {} });
  });
});

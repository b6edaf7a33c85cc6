import { describe, expect, it } from 'vitest';
import type { Evidence } from '../../../src/core/evidence.js';
import { type Policy, parsePolicy } from '../../../src/policy/document/policy-document.js';
import { haveVectors, recipes, type Vector, vector, vectors } from '../../vectors.js';
import { learn, learnedOf, OF_AZURE, OF_TDS, OF_VTPMS, policyOfGuest, verdict } from './learning.js';
import { AZURE, azureCase, LOGS, logCase, type MakeCase, snpCase, tdCase } from './learning-cases.js';

/** Policies that are learned from real machines allow these, and nothing else that there is. */

/** Of all these the policy allows one. */
async function expectOnly(entry: Vector, all: readonly Vector[], policy: Policy, make: MakeCase): Promise<void> {
  for (const other of all) {
    const found = await verdict(() => make(other), policy);
    expect([other.id, found]).toEqual([other.id, other === entry ? 'allow' : expect.stringMatching(/^deny /)]);
  }
}

describe.skipIf(!haveVectors)('a policy that is learned from one real Azure VM', () => {
  it.each(AZURE)('of $id allows it, and none of the others', async (entry) => {
    const { policy, refusals, notes } = await learnedOf(entry, OF_AZURE, azureCase);
    const isSnp = entry.family === 'az-snp-vtpm';
    expect(refusals).toEqual([]);
    expect(notes).toEqual(isSnp ? [expect.stringContaining('learned with the warning snp_product_advisory')] : []);
    expect(policy.referenceValues).toHaveLength(1);
    await expectOnly(entry, AZURE, policy, azureCase);
  });

  it('is refused for what is denied, and for a nonce in the quote alone', async () => {
    const old = vector('az-tdx-v4-nonpersisted');
    const current = parsePolicy(OF_AZURE.text.replace(',"OutOfDate"', ''));
    const { refusals } = await learn({ old: azureCase(old) }, current);
    expect(refusals[0]).toMatch(/^old: tdx_tcb_status: the evidence is not allowed by azure \(deny\)/);
  });
});

it.skipIf(!haveVectors)(
  'one policy is widened by machine after machine, each at its own time',
  async () => {
    let text: string | null = null;
    for (const entry of AZURE) text = (await learn({ [entry.id]: azureCase(entry) }, OF_AZURE, text)).policy.text;
    const policy = parsePolicy(text ?? '');
    expect([policy.version, policy.referenceValues.length]).toEqual([AZURE.length, AZURE.length]);
    for (const entry of AZURE) expect(await verdict(() => azureCase(entry), policy)).toBe('allow');
    for (const recipe of recipes('az-snp-vtpm', 'az-tdx-vtpm')) {
      const found = await verdict(() => azureCase(vector(recipe.base), recipe), policy);
      expect(found, recipe.id).toMatch(/^(deny|malformed) /);
    }
  },
  60_000,
);

describe.skipIf(!haveVectors)('a policy that is learned from an event log', () => {
  it.each(LOGS)('of $id allows that boot, and none of the others', async (entry) => {
    const { policy, notes } = await learnedOf(entry, OF_VTPMS, logCase);
    const hasFiles = policy.referenceValues.some(({ tpm }) => tpm?.boot?.files != null);
    expect(notes.some((note) => note.includes('can change from start to start'))).toBe(hasFiles);
    expect(policy.referenceValues).toMatchObject([
      { tpm: { sha256Pcrs: [], boot: { applications: expect.any(Array) } } },
    ]);
    await expectOnly(entry, LOGS, policy, logCase);
    const { evidence, ...rest } = logCase(entry);
    const without = { ...rest, evidence: { ...evidence, eventLog: null } as Evidence };
    expect(await verdict(() => without, policy)).toBe('deny eventlog_missing');
  });
});

const GUESTS = haveVectors ? vectors('snp').filter(({ expect: { verdict } }) => verdict === 'verifies') : [];
const ofDebugging = ({ expect: { facts } }: Vector) => facts.policy.debugAllowed === true;

describe.skipIf(!haveVectors)('a policy that is learned from a real SEV-SNP guest', () => {
  it.each(GUESTS.filter((entry) => !ofDebugging(entry)))('of $id allows it, and none of the others', async (entry) => {
    const { policy, refusals } = await learnedOf(entry, policyOfGuest(entry), snpCase);
    expect(refusals).toEqual([]);
    await expectOnly(entry, GUESTS, policy, snpCase);
  });

  it('is refused for one that can be debugged', async () => {
    const debugged = GUESTS.filter(ofDebugging);
    expect(debugged).toHaveLength(1);
    for (const entry of debugged) {
      const { refusals } = await learnedOf(entry, policyOfGuest(entry), snpCase);
      expect(refusals).toEqual([
        expect.stringContaining(`${entry.id}: snp_debug: the evidence is not allowed by guests (deny)`),
      ]);
    }
  });
});

const TDS = haveVectors ? ['tdx-v4-with-ccel', 'tdx-v4-gcp-2026', 'tdx-v4-b0c06f'].map(vector) : [];

describe.skipIf(!haveVectors)('a policy that is learned from a real TD', () => {
  it.each(TDS)('of $id allows it, and none of the others', async (entry) => {
    const { policy, refusals } = await learnedOf(entry, OF_TDS, tdCase);
    expect(refusals).toEqual([]);
    await expectOnly(entry, TDS, policy, tdCase);
  });
});

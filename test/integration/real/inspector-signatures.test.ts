import { describe, expect, it } from 'vitest';
import { type HardwareVerdict, verifyHardware } from '../../../src/inspector/hardware-signature.js';
import { type FoundBytes, readBytes } from '../../../src/inspector/structures.js';
import { applyRecipe, haveVectors, readVector, recipes, type Vector, vector, vectors } from '../../vectors.js';

/** The page's reading of real evidence: its own verification has no other source of truth than these. */

const FAMILIES = ['snp', 'az-snp-vtpm', 'tdx', 'az-tdx-vtpm'];

/** Reports, quotes and certificates of keys. Of Azure evidence with a TD quote, that is the quote. */
const READ = /\.(report\.bin|hcl-report\.bin|vcek\.der|vlek\.der|certs\.pem|td-quote\.bin|quote\.bin)$/;

/**
 * Reasons that are about signatures, about chains, or about the form of what is signed. The others are for the service: that a genuine quote
 * is another machine's, or that what is around the report is not what the report names.
 */
const SIGNED = /^(snp-|tdx-(signature|att-key-binding|qe-report-signature|pck-chain|parse|tee-type)$)/;

type Read = (file: string) => Uint8Array;

/** The result of the page. The chain of an SNP report is in no file of it: the page carries AMD's. */
function foundIn({ files }: Vector, read: Read): readonly FoundBytes[] {
  return files
    .filter((file) => READ.test(file))
    .map((file) => readBytes(read(file)))
    .filter((found) => found !== null);
}

const verify = (base: Vector, read: Read = readVector): Promise<HardwareVerdict> =>
  verifyHardware(foundIn(base, read), globalThis.crypto.subtle);

/** Evidence whose signatures verify: also if Intel's collateral has no TCB level for it, but not with text after the quote, which nothing signs. */
const GENUINE = /^every signature and chain verifies(?!.*text, not zeros)/;
const genuine = haveVectors
  ? vectors(...FAMILIES).filter(({ expect: { verdict, reason } }) => verdict === 'verifies' || GENUINE.test(reason))
  : [];
const refused = haveVectors ? vectors(...FAMILIES).filter((each) => !genuine.some(({ id }) => id === each.id)) : [];
const mutations = haveVectors
  ? recipes(...FAMILIES).filter(
      ({ op, file = '', expectedReason }) => op !== 'clock' && READ.test(file) && SIGNED.test(expectedReason),
    )
  : [];

describe.skipIf(!haveVectors)('what the page says of signatures of real hardware', () => {
  it.each(genuine)('verifies $id up to the pinned root of the vendor', async (base) => {
    expect(await verify(base)).toMatchObject({ state: 'verified' });
  });

  it.each(refused)('does not verify $id', async (base) => {
    expect((await verify(base)).state).not.toBe('verified');
  });

  it.each(mutations)('does not verify $id $base: $field', async (recipe) => {
    const verdict = await verify(vector(recipe.base), (file) => applyRecipe(recipe, file));
    expect(verdict.state).not.toBe('verified');
  });

  it('is held to mutations of each part', () => {
    const parts = new Set(mutations.map(({ expectedReason }) => expectedReason));
    expect(parts).toEqual(
      new Set([
        'snp-signature',
        'snp-chain',
        'snp-parse',
        'snp-key-kind',
        'snp-tcb-mismatch',
        'snp-chip-id-mismatch',
        'tdx-signature',
        'tdx-att-key-binding',
        'tdx-qe-report-signature',
        'tdx-pck-chain',
        'tdx-parse',
        'tdx-tee-type',
      ]),
    );
  });
});

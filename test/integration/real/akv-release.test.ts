import { describe, expect, it } from 'vitest';
import { UnfitError } from '../../../src/core/errors.js';
import { releasableKey } from '../../../src/core/key-release.js';
import { publicRoots } from '../../../src/release/vault/public-roots.js';
import { type ReleaseQuestion, verifyReleaseAnswer } from '../../../src/release/vault/release-answer.js';
import { applyRecipe, haveVectors, readVector, recipes, vector } from '../../vectors.js';

/** The answer of Key Vault to a release call in 2022, with the roots that Node comes with. */

const ID = 'akv-skr-response-2022';
const FILE = 'akv-policy/akv-skr-response-2022.jws';
const VERSION = 'e473cd4c66224d16870bbe2eb4c58078';

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8').trim();
const genuine = () => textOf(readVector(FILE));

function question(changes: Partial<ReleaseQuestion> = {}): ReleaseQuestion {
  const key = releasableKey('https://skr-kvq6srllol2jntw.vault.azure.net', 'myskrkey', VERSION);
  if (key === null) throw new Error('no key of a vault');
  const at = new Date(vector(ID).verifyAt ?? '');
  return { key, nonce: null, enc: 'CKM_RSA_AES_KEY_WRAP', at, roots: publicRoots(), ...changes };
}

async function problemOf(value: string, changes: Partial<ReleaseQuestion> = {}): Promise<string | null> {
  try {
    await verifyReleaseAnswer(value, question(changes));
    return null;
  } catch (error) {
    if (error instanceof UnfitError) return error.message;
    throw error;
  }
}

describe.skipIf(!haveVectors)('akv-skr-response-2022', () => {
  it('verifies at its instant, and names the key that it is wrapped to', async () => {
    const { keyHsmDecoded } = vector(ID).expect.facts;
    const value = genuine();
    expect(await verifyReleaseAnswer(value, question())).toEqual({
      value,
      keyVersion: VERSION,
      wrappingKid: keyHsmDecoded.header.kid,
    });
  });

  it('verifies where no version is configured', async () => {
    const key = { ...question().key, version: null };
    expect(await verifyReleaseAnswer(genuine(), question({ key }))).toMatchObject({ keyVersion: VERSION });
  });

  const key = (changes: Partial<ReleaseQuestion['key']>) => ({ key: { ...question().key, ...changes } });
  it.each<[string, () => Partial<ReleaseQuestion>, string]>([
    ['a nonce was sent', () => ({ nonce: 'bm9uY2U' }), 'it does not have the nonce that was sent'],
    ['256 was asked for', () => ({ enc: 'RSA_AES_KEY_WRAP_256' }), 'it is not about wrapping by RSA_AES_KEY_WRAP_256'],
    ['it is another vault', () => key({ host: 'lab.vault.azure.net' }), 'it is about a key of another vault'],
    ['it is another key', () => key({ name: 'disk' }), 'it is about another key of the vault'],
    ['it is another version', () => key({ version: '0'.repeat(32) }), 'it is about another version of the key'],
    [
      'it is an HSM',
      () => key({ host: 'lab.managedhsm.azure.net' }),
      'the certificate that signed it is not one of the domain of the vault',
    ],
    [
      'its root is not trusted',
      () => ({ roots: [] }),
      'certificates: chain does not end at a pinned key (certificate 3 of the chain)',
    ],
  ])('REL-02 nothing of it is handed out where %s', async (_what, changes, problem) => {
    expect(await problemOf(genuine(), changes())).toBe(problem);
  });

  it('REL-02 none of its characters may be another one', async () => {
    const value = genuine();
    for (let index = 0; index < value.length; index += 61) {
      const other = value[index] === 'A' ? 'B' : 'A';
      const changed = `${value.slice(0, index)}${other}${value.slice(index + 1)}`;
      expect(await problemOf(changed), `character ${index}`).not.toBeNull();
    }
  });
});

/** The note for each reason of the recipes. */
const MESSAGES: ReadonlyMap<string, RegExp> = new Map([
  ['jwt-signature', /^its signature does not verify$/],
  ['cert-validity', /^certificates: vault\.azure\.net, serial [0-9a-f]+, was valid until 2023-09-18T16:14:06\.000Z/],
]);

describe.skipIf(!haveVectors)('REL-02 changes of a real answer are refused, for their reason', () => {
  it.each(haveVectors ? recipes('akv-policy') : [])('$id $base: $field', async (recipe) => {
    const at = new Date((recipe.op === 'clock' ? recipe.verifyAt : vector(recipe.base).verifyAt) ?? '');
    const problem = await problemOf(textOf(applyRecipe(recipe, FILE)), { at });
    expect(problem).toMatch(MESSAGES.get(recipe.expectedReason) ?? /^no message for this reason$/);
  });
});

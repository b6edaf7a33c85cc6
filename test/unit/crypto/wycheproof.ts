import { publicKeyOf } from '../../../src/crypto/key-cache.js';
import { parseDerSequence } from '../../../src/formats/der.js';
import { readPublicKeyInfo } from '../../../src/formats/public-key.js';
import { sequence } from '../../lab/der-writer.js';
import { haveVectors, readVector } from '../../vectors.js';

/** One case of a Wycheproof file. `acceptable` may verify or not. */
export interface WycheproofCase {
  readonly tcId: number;
  readonly comment: string;
  readonly msg: string;
  readonly sig: string;
  readonly result: 'valid' | 'invalid' | 'acceptable';
}

export interface WycheproofGroup {
  readonly publicKeyDer: string;
  readonly tests: readonly WycheproofCase[];
}

/** Groups of a file; none if the vectors are not here. */
export function wycheproof(file: string): readonly WycheproofGroup[] {
  if (!haveVectors) return [];
  const text = Buffer.from(readVector(`ecdsa-wycheproof/${file}`)).toString('utf8');
  return JSON.parse(text).testGroups;
}

export const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));

/** The key of a group, read and imported as that of a certificate is. */
export function keyOf({ publicKeyDer }: WycheproofGroup) {
  const { spki, key } = readPublicKeyInfo(parseDerSequence(sequence(bytes(publicKeyDer)), 'key'));
  return publicKeyOf({ spki, publicKey: key });
}

/** Cases whose outcome is not what the file wants, as text; and how many there were of each kind. */
export async function disagreements(
  groups: readonly WycheproofGroup[],
  verify: (test: WycheproofCase, group: WycheproofGroup) => boolean | Promise<boolean>,
) {
  const wrong: string[] = [];
  const count = { valid: 0, invalid: 0, acceptable: 0 };
  for (const group of groups) {
    for (const test of group.tests) {
      count[test.result] += 1;
      const holds = await verify(test, group);
      if (test.result !== 'acceptable' && holds !== (test.result === 'valid')) {
        wrong.push(`${test.tcId} ${test.comment}: ${holds}`);
      }
    }
  }
  return { wrong, count };
}

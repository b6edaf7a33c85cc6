import { describe, expect, it } from 'vitest';
import type { TokenKey } from '../../../src/core/endorsement.js';
import { FormatError } from '../../../src/core/errors.js';
import { type JwsAlgorithm, verifyJws } from '../../../src/crypto/jws-signature.js';
import { parseKeySet } from '../../../src/formats/json-web-key-set.js';
import { parseJws } from '../../../src/formats/jws.js';
import { haveVectors, readVector } from '../../vectors.js';

/** Wycheproof's JWS and key sets, the way a token goes: key set, strict parse, key by name, signature. */

interface Case {
  readonly tcId: number;
  readonly comment: string;
  readonly jws: string;
  readonly result: 'valid' | 'invalid' | 'acceptable';
}

/** A JWK, or a set of them. */
interface Published {
  readonly keys?: readonly unknown[];
  readonly n?: string;
  readonly e?: string;
}

interface Group {
  readonly comment: string;
  readonly public?: Published;
  readonly private: Published;
  readonly tests: readonly Case[];
}

function groups(file: string): readonly Group[] {
  if (!haveVectors) return [];
  return JSON.parse(Buffer.from(readVector(`jws-wycheproof/${file}`)).toString('utf8')).testGroups;
}

const ALLOWED: readonly JwsAlgorithm[] = ['RS256', 'PS384'];

/** Keys of a group as an issuer would publish them. A secret key is published as what it is: none may come of it. */
function keysOf(group: Group): ReadonlyMap<string, readonly TokenKey[]> {
  const published = group.public ?? group.private;
  const set = published.keys === undefined ? { keys: [published] } : published;
  try {
    return parseKeySet(Buffer.from(JSON.stringify(set))).keys;
  } catch (error) {
    if (error instanceof FormatError) return new Map();
    throw error;
  }
}

async function accepts({ jws }: Case, keys: ReadonlyMap<string, readonly TokenKey[]>): Promise<boolean> {
  try {
    const { header } = parseJws(jws);
    const algorithm = ALLOWED.find((allowed) => allowed === header.alg);
    const named = keys.get(String(header['kid'])) ?? [];
    const [key] = named;
    if (algorithm === undefined || key === undefined || named.length > 1) return false;
    return (key.alg === null || key.alg === algorithm) && (await verifyJws(jws, algorithm, key.key));
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}

/** Whether an issuer here could have signed it: with an algorithm that is allowed, and a key that is published. */
function isOurs({ jws }: Case): boolean {
  const [header = ''] = jws.split('.');
  const text = Buffer.from(header, 'base64url').toString('utf8');
  return ALLOWED.some((algorithm) => text.includes(`"${algorithm}"`));
}

/** Valid ones that are refused, and why. Their signatures hold. */
const REFUSED_VALID: ReadonlyMap<number, string> = new Map([
  [320, 'a key of 2048 bits, where PS384 wants 3072'],
  [321, 'a key of 2048 bits, where PS384 wants 3072'],
  [322, 'a key of 2048 bits, where PS384 wants 3072'],
  [323, 'a key of 2048 bits, where PS384 wants 3072'],
  [346, 'a key that is published for PS256'],
  [350, 'a key that is published for PS256'],
]);

/** Outcomes that are not what the file wants, as text; the ids that were accepted; and those that are exceptions. */
async function run(file: string) {
  const wrong: string[] = [];
  const accepted: number[] = [];
  const exceptions: number[] = [];
  for (const group of groups(file)) {
    const keys = keysOf(group);
    for (const test of group.tests) {
      const holds = await accepts(test, keys);
      if (holds) accepted.push(test.tcId);
      const wanted = test.result === 'valid' && isOurs(test);
      if (wanted && !holds && REFUSED_VALID.has(test.tcId)) exceptions.push(test.tcId);
      else if (holds !== wanted) wrong.push(`${test.tcId} ${group.comment} ${test.comment}: ${holds}`);
    }
  }
  return { wrong, accepted, exceptions };
}

describe.skipIf(!haveVectors)('wycheproof', () => {
  it('TOK-01, TOK-05 signatures: no invalid one is accepted, no valid one of an allowed algorithm refused', async () => {
    const { wrong, accepted, exceptions } = await run('json_web_signature_test.json');
    expect(wrong).toEqual([]);
    expect(accepted).toEqual([33, 259, 260, 261, 262, 263, 345, 349]);
    expect(exceptions).toEqual([...REFUSED_VALID.keys()]);
  });

  it('TOK-12 key sets: no weak, secret or ambiguous key verifies anything', async () => {
    const { wrong, accepted, exceptions } = await run('json_web_key_test.json');
    expect(wrong).toEqual([]);
    expect(accepted).toEqual([5]);
    expect(exceptions).toEqual([]);
  });

  it('signatures that are refused for their keys hold', async () => {
    for (const { tests, public: jwk } of groups('json_web_signature_test.json')) {
      const { n = '', e = '' } = jwk ?? {};
      const key = { n: Buffer.from(n, 'base64url'), e: Buffer.from(e, 'base64url') };
      for (const { tcId, jws } of tests) {
        if (REFUSED_VALID.has(tcId)) expect(await verifyJws(jws, 'PS384', key), `${tcId}`).toBe(true);
      }
    }
  });
});

import { createPublicKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type JwsAlgorithm, verifyJws } from '../../../src/crypto/jws-signature.js';
import type { RsaPublicKey } from '../../../src/model/rsa-public-key.js';
import { type LabKey, makeToken, namedRsaKey, type TokenMaking } from '../../lab/index.js';

const KEY = namedRsaKey('jws', 3072);
const OTHER = namedRsaKey('jws-other', 3072);
const ALGORITHMS: readonly JwsAlgorithm[] = ['RS256', 'PS384'];

function numbersOf({ privateKey }: LabKey): RsaPublicKey {
  const { n = '', e = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  return { n: Buffer.from(n, 'base64url'), e: Buffer.from(e, 'base64url') };
}

function token(algorithm: string, making: TokenMaking = {}): string {
  return makeToken({ header: {}, claims: { a: 1 }, key: KEY.privateKey, algorithm }, making);
}

/** A token with one bit of a part changed. */
function flipped(text: string, index: 0 | 1 | 2): string {
  const parts = text.split('.');
  const bytes = Buffer.from(parts[index] ?? '', 'base64url');
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  parts[index] = bytes.toString('base64url');
  return parts.join('.');
}

describe.each(ALGORITHMS)('verifyJws with %s', (algorithm) => {
  const genuine = token(algorithm);
  const other = algorithm === 'RS256' ? 'PS384' : 'RS256';

  it('verifies a token of its key', async () => {
    expect(await verifyJws(genuine, algorithm, numbersOf(KEY))).toBe(true);
  });

  it('does not verify one of another key, or one that was changed', async () => {
    expect(await verifyJws(genuine, algorithm, numbersOf(OTHER))).toBe(false);
    expect(await verifyJws(flipped(genuine, 1), algorithm, numbersOf(KEY))).toBe(false);
    expect(await verifyJws(flipped(genuine, 2), algorithm, numbersOf(KEY))).toBe(false);
    expect(await verifyJws(genuine.replace(/[^.]*$/, ''), algorithm, numbersOf(KEY))).toBe(false);
    expect(await verifyJws(`${genuine}AAAA`, algorithm, numbersOf(KEY))).toBe(false);
  });

  it.each([other, 'RS384', 'RS512', 'PS256', 'PS512', 'HS256', 'ES256', 'none'])(
    'TOK-01 lets the header choose nothing: %s',
    async (alg) => {
      const signedOtherwise = token(alg === 'ES256' ? algorithm : alg, { header: { alg } });
      expect(await verifyJws(signedOtherwise, algorithm, numbersOf(KEY))).toBe(false);
    },
  );

  it('TOK-01 does not verify the signature of another algorithm under its own name', async () => {
    const signedOtherwise = token(other, { header: { alg: algorithm } });
    expect(await verifyJws(signedOtherwise, algorithm, numbersOf(KEY))).toBe(false);
  });

  it('gives no answer under a key that is too short to count', async () => {
    const short = namedRsaKey('jws-short', 1024);
    const signed = token(algorithm, { key: short.privateKey });
    await expect(verifyJws(signed, algorithm, numbersOf(short))).rejects.toThrow();
  });
});

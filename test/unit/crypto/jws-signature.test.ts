import { createPublicKey, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { RsaPublicKey } from '../../../src/core/rsa-public-key.js';
import { type JwsAlgorithm, verifyJws } from '../../../src/crypto/jws-signature.js';
import { type LabKey, makeToken, namedRsaKey, type TokenMaking } from '../../lab/index.js';
import { KEYS } from '../small-pki.js';

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

describe('verifyJws with ES256', () => {
  const pointOf = ({ spki }: LabKey) => ({ point: spki.subarray(-64) });
  const signed = (making: TokenMaking = {}) => token('ES256', { key: KEYS.leaf.privateKey, ...making });

  it('verifies a token of its key', async () => {
    expect(await verifyJws(signed(), 'ES256', pointOf(KEYS.leaf))).toBe(true);
  });

  it('does not verify one of another key, or one that was changed', async () => {
    expect(await verifyJws(signed(), 'ES256', pointOf(KEYS.other))).toBe(false);
    for (const part of [1, 2] as const) {
      expect(await verifyJws(flipped(signed(), part), 'ES256', pointOf(KEYS.leaf))).toBe(false);
    }
  });

  it('TOK-01 does not verify a signature in DER, or of zeros', async () => {
    const zeros = (text: string) => text.replace(/[^.]*$/, Buffer.alloc(64).toString('base64url'));
    expect(await verifyJws(zeros(signed()), 'ES256', pointOf(KEYS.leaf))).toBe(false);
    const inDer = (text: string) => {
      const input = text.replace(/\.[^.]*$/, '');
      return `${input}.${sign('sha256', Buffer.from(input), KEYS.leaf.privateKey).toString('base64url')}`;
    };
    expect(await verifyJws(inDer(signed()), 'ES256', pointOf(KEYS.leaf))).toBe(false);
  });

  it('TOK-01 lets the header choose nothing', async () => {
    const renamed = signed({ header: { alg: 'RS256' } });
    expect(await verifyJws(renamed, 'ES256', pointOf(KEYS.leaf))).toBe(false);
  });

  it.each([
    ['RS256', pointOf(KEYS.leaf)],
    ['PS384', pointOf(KEYS.leaf)],
    ['ES256', numbersOf(KEY)],
  ] as const)('gives no answer for %s under a key of another kind', async (algorithm, key) => {
    await expect(verifyJws(signed(), algorithm, key)).rejects.toThrow(`not a key for ${algorithm}`);
  });

  it('gives no answer under what is no point on the curve', async () => {
    const beside = { point: new Uint8Array(64).fill(1) };
    await expect(verifyJws(signed(), 'ES256', beside)).rejects.toThrow('not a point on its curve');
  });
});

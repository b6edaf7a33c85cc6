import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { getEventListeners } from 'node:events';
import { compactDecrypt } from 'jose';
import { describe, expect, it, vi } from 'vitest';
import type { JsonObject } from '../../../src/core/json.js';
import { ReleaseUnavailableError } from '../../../src/core/key-release.js';
import { LocalKey } from '../../../src/release/local-key.js';
import { formatErrorOf } from '../../format-error-of.js';
import { ALLOW } from '../../integration/http/fake-service.js';
import { judged } from '../log/recorded.js';

/** Of a request that has all the time. */
const OPEN = new AbortController().signal;

const SECRET = Buffer.from('sesame-of-the-disk');

const jwkOf = (key: KeyObject) => key.export({ format: 'jwk' }) as JsonObject;

function localKey(read: () => Promise<Uint8Array> = async () => Uint8Array.from(SECRET)) {
  return new LocalKey({ policy: 'keys', tenant: 'default', anyMachine: false, read });
}

function allowed(bindingJwk: JsonObject) {
  const decision = { ...ALLOW, binding: { jkt: 'thumbprint' } };
  return { request: { ...judged().request, bindingJwk }, decision, principal: 'guests' };
}

const PAIRS = [
  ['RSA of 2048 bits', 'RSA-OAEP-256', generateKeyPairSync('rsa', { modulusLength: 2048 })],
  ['P-256', 'ECDH-ES+A256KW', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
  ['P-384', 'ECDH-ES+A256KW', generateKeyPairSync('ec', { namedCurve: 'P-384' })],
  ['P-521', 'ECDH-ES+A256KW', generateKeyPairSync('ec', { namedCurve: 'P-521' })],
  ['X25519', 'ECDH-ES+A256KW', generateKeyPairSync('x25519')],
] as const;

/** A promise, and what ends it. */
interface Settling<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

function withResolvers<T>(): Settling<T> {
  let settle: Omit<Settling<T>, 'promise'> | undefined;
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, ...(settle as NonNullable<typeof settle>) };
}

describe('a local key', () => {
  it.each(PAIRS)('is encrypted to a key of %s, whose holder alone opens it', async (_, alg, pair) => {
    const jwk = jwkOf(pair.publicKey);
    const key = localKey();
    key.requireFit(jwk);
    const { value, keyVersion } = await key.release(allowed(jwk), OPEN);
    const { plaintext, protectedHeader } = await compactDecrypt(value, pair.privateKey);
    expect(Buffer.from(plaintext)).toEqual(SECRET);
    expect(protectedHeader).toMatchObject({ alg, enc: 'A256GCM', kid: 'thumbprint' });
    expect(keyVersion).toBeNull();
    const [, , other] = PAIRS[alg === 'RSA-OAEP-256' ? 1 : 0];
    await expect(compactDecrypt(value, other.privateKey)).rejects.toThrow();
  });

  it('is encrypted to the members of the thumbprint alone, whatever stands beside them', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const jwk = { ...jwkOf(publicKey), alg: 'RS256', use: 'sig', key_ops: ['verify'], kid: 'mine' };
    const key = localKey();
    key.requireFit(jwk);
    const { value } = await key.release(allowed(jwk), OPEN);
    expect(Buffer.from((await compactDecrypt(value, privateKey)).plaintext)).toEqual(SECRET);
  });

  it('is overwritten once it is encrypted, and where that fails', async () => {
    const [, , { publicKey }] = PAIRS[0];
    const bytes = Uint8Array.from(SECRET);
    await localKey(async () => bytes).release(allowed(jwkOf(publicKey)), OPEN);
    expect([...bytes].every((byte) => byte === 0)).toBe(true);
    const others = Uint8Array.from(SECRET);
    const broken = { ...allowed(jwkOf(publicKey)), decision: { ...ALLOW, binding: { jkt: 7 as never } } };
    await expect(
      localKey(async () => {
        Object.defineProperty(broken.decision, 'binding', {
          get: () => {
            throw new Error('a fault');
          },
        });
        return others;
      }).release(broken, OPEN),
    ).rejects.toThrow('a fault');
    expect([...others].every((byte) => byte === 0)).toBe(true);
  });

  it('is unavailable where its file cannot be read, and says nothing of the file', async () => {
    const [, , { publicKey }] = PAIRS[0];
    const releasing = localKey(async () => {
      throw new Error('ENOENT: /run/secrets/disk.key');
    }).release(allowed(jwkOf(publicKey)), OPEN);
    await expect(releasing).rejects.toThrow(ReleaseUnavailableError);
    await expect(releasing).rejects.toThrow(/^the file of the key cannot be read$/);
  });

  describe('whose file does not answer', () => {
    const [, , { publicKey }] = PAIRS[0];
    const LATE = /^the file of the key is not read in time$/;

    function slow() {
      const reads: Settling<Uint8Array>[] = [];
      const key = localKey(() => {
        const read = withResolvers<Uint8Array>();
        reads.push(read);
        return read.promise;
      });
      const ask = (signal: AbortSignal) => key.release(allowed(jwkOf(publicKey)), signal);
      return { reads, ask };
    }

    it('is unavailable, is read once, and keeps nobody else waiting', async () => {
      const { reads, ask } = slow();
      const time = new AbortController();
      const asked = [ask(time.signal), ask(time.signal)];
      await vi.waitFor(() => expect(reads).toHaveLength(1));
      time.abort();
      for (const each of asked) await expect(each).rejects.toThrow(LATE);
      await expect(ask(OPEN)).rejects.toThrow(LATE);
      expect(reads).toHaveLength(1);
    });

    it('is not said of one that was not read yet, and others are not kept from it', async () => {
      const { reads, ask } = slow();
      const first = ask(OPEN);
      await vi.waitFor(() => expect(reads).toHaveLength(1));
      await expect(ask(AbortSignal.abort())).rejects.toMatchObject({
        remedy: expect.stringMatching(/^The caller should/),
      });
      const next = ask(OPEN);
      reads[0]?.resolve(Uint8Array.from(SECRET));
      expect((await first).value).toBeTypeOf('string');
      await vi.waitFor(() => expect(reads).toHaveLength(2));
      reads[1]?.resolve(Uint8Array.from(SECRET));
      expect((await next).value).toBeTypeOf('string');
    });

    it.each<[string, (read: Settling<Uint8Array>, bytes: Uint8Array) => void]>([
      ['is overwritten when it comes', (read, bytes) => read.resolve(bytes)],
      [
        'may fail late',
        (read, bytes) => {
          bytes.fill(0);
          read.reject(new Error('EIO'));
        },
      ],
    ])('%s, and is read again from then on', async (_, settle) => {
      const { reads, ask } = slow();
      const time = new AbortController();
      const late = ask(time.signal);
      await vi.waitFor(() => expect(reads).toHaveLength(1));
      time.abort();
      await expect(late).rejects.toThrow(LATE);
      const bytes = Uint8Array.from(SECRET);
      if (reads[0] !== undefined) settle(reads[0], bytes);
      await vi.waitFor(() => expect([...bytes].every((byte) => byte === 0)).toBe(true));
      await new Promise((resolve) => setImmediate(resolve));
      const next = ask(OPEN);
      await vi.waitFor(() => expect(reads).toHaveLength(2));
      reads[1]?.resolve(Uint8Array.from(SECRET));
      expect((await next).value).toBeTypeOf('string');
    });
  });

  it('leaves no listener at the signal of a request', async () => {
    const [, , { publicKey }] = PAIRS[0];
    const { signal } = new AbortController();
    await localKey().release(allowed(jwkOf(publicKey)), signal);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('is recorded as one of the service itself', () => {
    expect(localKey().describe()).toEqual({ type: 'local' });
    expect(localKey()).toMatchObject({ kind: 'local', policy: 'keys', tenant: 'default' });
  });
});

describe('REL-06 a bound key that nothing is encrypted to', () => {
  const rsa = (options: { modulusLength: number; publicExponent?: number }) =>
    jwkOf(generateKeyPairSync('rsa', options).publicKey);
  const point = jwkOf(PAIRS[1][2].publicKey);
  /** 256 bytes, of which the first says how many bits that is. */
  const modulusOf = (first: number, others = 0xff) =>
    Buffer.from([first, ...Buffer.alloc(255, others)]).toString('base64url');

  it.each([
    ['RSA of 1024 bits', rsa({ modulusLength: 1024 }), '/binding/jwk/n'],
    ['RSA of 2040 bits', rsa({ modulusLength: 2040 }), '/binding/jwk/n'],
    ['RSA of 2047 bits', { kty: 'RSA', e: 'AQAB', n: modulusOf(0x7f) }, '/binding/jwk/n'],
    ['an exponent of 1', { ...rsa({ modulusLength: 2048 }), e: 'AQ' }, '/binding/jwk/e'],
    ['an exponent of 3', rsa({ modulusLength: 2048, publicExponent: 3 }), '/binding/jwk/e'],
    ['P-224', { kty: 'EC', crv: 'P-224', x: 'AA', y: 'AA' }, '/binding/jwk'],
    ['an unknown curve', { kty: 'EC', crv: 'brainpoolP256r1', x: 'AA', y: 'AA' }, '/binding/jwk'],
    ['secp256k1', jwkOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey), '/binding/jwk'],
    ['Ed25519', jwkOf(generateKeyPairSync('ed25519').publicKey), '/binding/jwk'],
    ['a point that is not on its curve', { ...point, y: point['x'] as string }, '/binding/jwk'],
    ['a curve of another type', { ...point, kty: 'OKP' }, '/binding/jwk'],
    ['a point of small order', { kty: 'OKP', crv: 'X25519', x: 'A'.repeat(43) }, '/binding/jwk'],
    ['an even modulus', { kty: 'RSA', e: 'AQAB', n: modulusOf(0xfe, 0xfe) }, '/binding/jwk'],
    ['nothing', {}, '/binding/jwk'],
  ])('%s is malformed', (_, jwk, pointer) => {
    const error = formatErrorOf(() => localKey().requireFit(jwk as JsonObject));
    expect([error.code, error.pointer]).toEqual(['schema', pointer]);
  });
});

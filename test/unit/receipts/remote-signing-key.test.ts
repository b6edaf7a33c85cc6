import { createHash, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { compactVerify, decodeProtectedHeader } from 'jose';
import { describe, expect, it } from 'vitest';
import { ReceiptUnavailableError } from '../../../src/core/receipt.js';
import { RemoteSigningKey, type SignDigest } from '../../../src/receipts/remote-signing-key.js';
import { LocalSigningKey, UnusableKeyError } from '../../../src/receipts/signing-key.js';
import { integer, sequence } from '../../lab/der-writer.js';
import { signatureOverDigest } from '../../lab/key-vault-signing.js';
import { ed25519, p256, rsa } from './keys.js';

const TIME = { signal: new AbortController().signal, principal: 'guests' };
const PAYLOAD = Buffer.from('{"iss":"https://veritee.example"}');

const signingWith =
  (privateKey: KeyObject): SignDigest =>
  async (alg, digest) =>
    signatureOverDigest(privateKey, alg, digest);

const open = (key: KeyObject, signDigest = signingWith(key)) =>
  RemoteSigningKey.open(createPublicKey(key), signDigest, TIME);

describe('RemoteSigningKey', () => {
  it.each([
    ['ES256', p256()],
    ['RS256', rsa()],
  ] as const)('signs with %s as a key of a file does', async (alg, privateKey) => {
    const key = await open(privateKey);
    const local = new LocalSigningKey(privateKey);
    expect({ alg: key.alg, kid: key.kid, jwk: key.jwk }).toEqual({ alg, kid: local.kid, jwk: local.jwk });
    const receipt = await key.sign({ typ: 'eat+jwt' }, PAYLOAD, TIME);
    const { payload } = await compactVerify(receipt, createPublicKey(privateKey));
    expect(Buffer.from(payload)).toEqual(PAYLOAD);
    expect(decodeProtectedHeader(receipt)).toEqual({ alg, kid: local.kid, typ: 'eat+jwt' });
  });

  it('REL-08 gives nothing away but the digest of what is signed, the time that is left, and the principal whose turn it is', async () => {
    const privateKey = p256();
    const asked: unknown[][] = [];
    const key = await open(privateKey, async (...given) => {
      asked.push(given);
      return signingWith(privateKey)(...given);
    });
    const receipt = await key.sign({ typ: 'eat+jwt' }, PAYLOAD, TIME);
    const digest = createHash('sha256')
      .update(receipt.slice(0, receipt.lastIndexOf('.')))
      .digest();
    expect(asked[1]).toEqual(['ES256', digest, TIME.signal, 'guests']);
  });

  it('is known to sign before it is there, by a signature over what is no receipt', async () => {
    const privateKey = p256();
    const digests: Uint8Array[] = [];
    await open(privateKey, async (alg, digest, signal) => {
      digests.push(digest);
      return signingWith(privateKey)(alg, digest, signal);
    });
    expect(digests).toEqual([createHash('sha256').update('veritee').digest()]);
    const failure = new ReceiptUnavailableError('403');
    await expect(open(privateKey, () => Promise.reject(failure))).rejects.toBe(failure);
  });

  const other = p256();
  const es256: SignDigest = async (_alg, digest) => signatureOverDigest(other, 'ES256', digest);
  const inDer: SignDigest = async (...asked) => {
    const raw = await es256(...asked);
    return sequence(integer(raw.subarray(0, 32)), integer(raw.subarray(32)));
  };
  it.each<[string, KeyObject, SignDigest]>([
    ["another key's signature", p256(), signingWith(other)],
    ["another kind of key's signature", rsa(), es256],
    ['a signature in DER', other, inDer],
    ['no byte', p256(), async () => new Uint8Array()],
    ['zeros', p256(), async () => new Uint8Array(64)],
    [
      'a signature that is one byte longer',
      other,
      async (...asked) => Buffer.concat([await signingWith(other)(...asked), Buffer.alloc(1)]),
    ],
    ['a signature over something else', other, async (alg) => signatureOverDigest(other, alg, Buffer.alloc(32))],
  ])('REC-05 never gives out %s', async (_title, privateKey, answer) => {
    let answers = signingWith(privateKey);
    const key = await open(privateKey, (...asked) => answers(...asked));
    answers = answer;
    const signed = key.sign({ typ: 'eat+jwt' }, PAYLOAD, TIME);
    await expect(signed).rejects.toThrow(ReceiptUnavailableError);
    await expect(signed).rejects.toThrow('the signature is not one of the key of receipts');
  });

  it.each([
    [ed25519(), 'a key of type ed25519, which signs no digest'],
    [
      generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey,
      'a key of type ec on secp384r1; receipts are signed with P-256, Ed25519 or RSA',
    ],
    [
      generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey,
      'a key of type ec on secp256k1; receipts are signed with P-256, Ed25519 or RSA',
    ],
    [rsa(1024), 'an RSA key of 1024 bits; receipts need 2048 or more'],
  ])('%# is no kind of key that signs receipts elsewhere', async (privateKey, message) => {
    const opened = open(privateKey);
    await expect(opened).rejects.toThrow(UnusableKeyError);
    await expect(opened).rejects.toThrow(message);
  });
});

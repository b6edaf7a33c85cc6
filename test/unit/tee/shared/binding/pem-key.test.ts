import { createHash, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../../src/core/json.js';
import { jwkThumbprint } from '../../../../../src/crypto/jwk-thumbprint.js';
import { expectedBinding } from '../../../../../src/tee/shared/binding/expected-binding.js';
import { formatErrorOf } from '../../../../format-error-of.js';
import { createSnpGuest, createVirtualMachine } from '../../../../lab/index.js';
import { expectFailed, expectVerified, NONCE, OTHER_NONCE, PKI, verifyAzure, verifySnp } from '../../fixture.js';

const guest = createSnpGuest({ pki: PKI });
const vm = await createVirtualMachine({ pki: PKI });

const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const TEXT = publicKey.export({ format: 'pem', type: 'spki' }).toString().trimEnd();
const PEM = { text: Buffer.from(TEXT), spki: publicKey.export({ format: 'der', type: 'spki' }) };
const DIGEST = createHash('sha256').update(TEXT).digest();
const ASKED = { nonce: NONCE, pem: PEM };

describe('a key as PEM', () => {
  it('leaves X the nonce, and has the thumbprint of its JWK', () => {
    const jkt = jwkThumbprint(publicKey.export({ format: 'jwk' }) as JsonObject);
    expect(expectedBinding(NONCE, null, PEM)).toEqual({
      nonce: NONCE,
      value: NONCE,
      jkt: null,
      pem: { text: PEM.text, jkt },
    });
  });

  it('is refused where it is of another kind: schema', () => {
    const spki = generateKeyPairSync('ed25519').publicKey.export({ format: 'der', type: 'spki' });
    expect(formatErrorOf(() => expectedBinding(NONCE, null, { ...PEM, spki }))).toMatchObject({
      code: 'schema',
      pointer: '/binding/pem',
    });
  });
});

describe('user-data that is the SHA-256 of a key as PEM', () => {
  const evidence = (userData: Uint8Array | null, nonce = NONCE) => vm.evidence({ nonce, claims: { userData } });

  it('holds where the request sends that key, and holds no nonce', async () => {
    const found = await verifyAzure(evidence(DIGEST), ASKED);
    expectVerified(found);
    expect(found.bound).toEqual(['tpm.extraData']);
  });

  it('is another value without the key: nonce_mismatch', async () => {
    expectFailed(await verifyAzure(evidence(DIGEST), { nonce: NONCE }), 'nonce_mismatch');
  });

  it.each([
    ['absent', null],
    ['all zero', new Uint8Array(64)],
    ['the nonce', NONCE],
    ['of another text', createHash('sha256').update(`${TEXT}\n`).digest()],
    ['followed by other bytes', Buffer.concat([DIGEST, Buffer.alloc(31), Buffer.of(1)])],
  ])('denies where it is %s: nonce_mismatch', async (_name, userData) => {
    expectFailed(await verifyAzure(evidence(userData), ASKED), 'nonce_mismatch');
  });

  it('denies where the quote has another nonce: nonce_mismatch', async () => {
    expectFailed(await verifyAzure(evidence(DIGEST, OTHER_NONCE), ASKED), 'nonce_mismatch');
  });
});

describe('runtime data that is a key as PEM', () => {
  const evidence = (text: string) => guest.evidence({ nonce: NONCE, runtimeData: { text } });

  it('holds where the request sends that key, and holds no nonce', async () => {
    const found = await verifySnp(evidence(TEXT), ASKED);
    expectVerified(found);
    expect(found.bound).toEqual([]);
  });

  it('holds no nonce without the key: nonce_mismatch', async () => {
    expectFailed(await verifySnp(evidence(TEXT), { nonce: NONCE }), 'nonce_mismatch');
  });

  it.each([
    ['another text', `${TEXT}\n`],
    ['JSON with the nonce', JSON.stringify({ nonce: Buffer.from(NONCE).toString('base64url') })],
  ])('denies where it is %s: nonce_mismatch', async (_name, text) => {
    expectFailed(await verifySnp(evidence(text), ASKED), 'nonce_mismatch');
  });

  it('denies where there is none, or that of a paravisor: nonce_mismatch', async () => {
    expectFailed(await verifySnp(guest.evidence({ nonce: NONCE }), ASKED), 'nonce_mismatch');
    const runtimeData = vm.runtimeClaims({ claims: { userData: DIGEST } });
    expectFailed(await verifySnp(guest.evidence({ runtimeData }), ASKED), 'nonce_mismatch');
  });

  it('denies where its hash is not in the report: hcl_binding', async () => {
    const found = await verifySnp({ ...evidence(`${TEXT}\n`), runtimeData: PEM.text }, ASKED);
    expectFailed(found, 'hcl_binding');
  });
});

import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { TpmEvidence } from '../../../../src/core/evidence.js';
import type { JsonObject } from '../../../../src/core/json.js';
import { readVerifyRequest } from '../../../../src/wire/read-requests.js';
import { type AttestationInfoOptions, azureGuestEvidence, VirtualTpm } from '../../../lab/index.js';
import { expectFailed, expectVerified, NONCE } from '../fixture.js';
import { MACHINE, verifyTpm } from './tpm-fixture.js';

/** attestationInfo of a machine of Trusted Launch. */

const { n = '', e = '' } = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
const EPHEMERAL: JsonObject = { kty: 'RSA', n, e };
const { vtpm } = MACHINE;
const OTHER_TPM = await VirtualTpm.create();

function evidenceOf(options: AttestationInfoOptions = {}): TpmEvidence {
  const native = MACHINE.evidence({ nonce: NONCE });
  const keys = { akPublic: vtpm.akPublic(), certifiedKey: vtpm.certify(EPHEMERAL) };
  const evidence = azureGuestEvidence(native, { ...keys, form: 'object', ...options });
  const found = readVerifyRequest(Buffer.from(JSON.stringify({ evidence }))).evidence;
  if (found.type !== 'tpm') throw new Error('another type');
  // the dialect carries no chain
  return { ...found, ak: { ...found.ak, chain: native.ak.chain } };
}

describe('attestationInfo of a machine of Trusted Launch', () => {
  it('is verified, and binds the key that it certifies', async () => {
    const found = await verifyTpm(evidenceOf(), { nonce: NONCE, jwk: EPHEMERAL });
    expectVerified(found);
    expect(found.required).toContain('hcl_ak_mismatch');
    expect(found.claims.tpm?.certifiedKey?.jwk).toEqual(EPHEMERAL);
    expect(found.bound).toEqual(['tpm.extraData']);
  });

  it('is denied with the public area of another key, or a key that another vTPM certified', async () => {
    const akPublic = OTHER_TPM.akPublic();
    expectFailed(await verifyTpm(evidenceOf({ akPublic }), { nonce: NONCE }), 'hcl_ak_mismatch');
    const certifiedKey = OTHER_TPM.certify(EPHEMERAL);
    expectFailed(await verifyTpm(evidenceOf({ certifiedKey }), { nonce: NONCE }), 'tpm_signature');
  });

  it('says nothing of its keys where nothing vouches for the attestation key', async () => {
    const found = evidenceOf();
    expectFailed(
      await verifyTpm({ ...found, ak: { ...found.ak, chain: null } }, { nonce: NONCE }),
      'ak_cert_untrusted',
    );
  });
});

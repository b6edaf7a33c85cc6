import { describe, expect, it } from 'vitest';
import { parseTpmSignature } from '../../../../../src/tee/tpm/format/tpmt-signature.js';
import { buildTpmtSignature, sized, TPM_HASH } from '../../../../lab/index.js';

const BYTES = new Uint8Array(256).fill(0x5a);
const refused = expect.objectContaining({ name: 'FormatError', code: 'tpm_format' });

describe('parseTpmSignature', () => {
  it('reads as many bytes as the modulus has as a bare signature', () => {
    expect(parseTpmSignature(BYTES, 256)).toEqual({ scheme: 'rsassa', hash: 'sha256', signature: BYTES });
  });

  for (const scheme of ['rsassa', 'rsapss'] as const) {
    it.each(['sha1', 'sha256', 'sha384', 'sha512'] as const)(`reads a TPMT_SIGNATURE of ${scheme} with %s`, (hash) => {
      expect(parseTpmSignature(buildTpmtSignature(scheme, hash, BYTES), 256)).toEqual({
        scheme,
        hash,
        signature: BYTES,
      });
    });
  }

  it('reads a TPMT_SIGNATURE of ECDSA', () => {
    const [r, s] = [Uint8Array.of(1, 2), Uint8Array.of(3)];
    const bytes = Buffer.concat([Uint8Array.of(0, 0x18, 0, TPM_HASH.sha256), sized(r), sized(s)]);
    expect(parseTpmSignature(bytes, null)).toEqual({
      scheme: 'ecdsa',
      hash: 'sha256',
      r: Buffer.from(r),
      s: Buffer.from(s),
    });
  });

  it.each([0, 1, 3, 255, 257])('TPM-08 refuses %i bytes that are neither form', (length) => {
    expect(() => parseTpmSignature(new Uint8Array(length).fill(0x5a), 256)).toThrow(refused);
  });

  it('TPM-08 takes a bare signature for none where the key is not RSA', () => {
    expect(() => parseTpmSignature(BYTES, null)).toThrow(refused);
  });

  it('TPM-08 refuses a signature over 512 bytes, and bytes left over', () => {
    expect(() => parseTpmSignature(buildTpmtSignature('rsassa', 'sha256', new Uint8Array(513)), 256)).toThrow(refused);
    const tpmt = buildTpmtSignature('rsassa', 'sha256', BYTES);
    expect(() => parseTpmSignature(Uint8Array.from([...tpmt, 0]), 256)).toThrow(refused);
  });
});

import { FormatError } from '../../../core/errors.js';
import type { PcrBank } from '../../../core/evidence.js';
import { ByteReader } from '../../../formats/byte-reader.js';
import { TPM_HASHES } from './tpms-attest.js';

/** TPM_ALG_ID values (TPM 2.0 part 2, 6.3). */
const TPM_ALG = { rsassa: 0x0014, rsapss: 0x0016, ecdsa: 0x0018 };

export type TpmHash = PcrBank;

/** A signature over a TPMS_ATTEST, with its stated scheme. */
export type TpmSignature =
  | { readonly scheme: 'rsassa' | 'rsapss'; readonly hash: TpmHash; readonly signature: Uint8Array }
  | { readonly scheme: 'ecdsa'; readonly hash: TpmHash; readonly r: Uint8Array; readonly s: Uint8Array };

/**
 * Reads the signature of a TPMS_ATTEST. Bytes with the length of the modulus are a bare RSASSA-PKCS1-v1_5 signature
 * with SHA-256, as Azure's tools write it. Any other length is a TPMT_SIGNATURE (TPM 2.0 part 2, 11.3.4).
 *
 * @param modulusLength length of the signing key's RSA modulus in bytes; null for a key that is not RSA
 * @throws {FormatError} `tpm_format` if neither form fits to the last byte
 */
export function parseTpmSignature(bytes: Uint8Array, modulusLength: number | null): TpmSignature {
  if (bytes.byteLength === modulusLength) return { scheme: 'rsassa', hash: 'sha256', signature: bytes };
  const reader = new ByteReader(bytes, 'tpm_format');
  const algorithm = reader.u16be('sigAlg');
  const hash = TPM_HASHES.get(reader.u16be('hash'));
  if (hash === undefined) throw new FormatError('tpm_format', 'the hash of the signature is not known');
  const signature = parseBody(reader, algorithm, hash);
  reader.expectEnd();
  return signature;
}

function parseBody(reader: ByteReader, algorithm: number, hash: TpmHash): TpmSignature {
  switch (algorithm) {
    case TPM_ALG.rsassa:
      return { scheme: 'rsassa', hash, signature: reader.sized(512, 'signature') };
    case TPM_ALG.rsapss:
      return { scheme: 'rsapss', hash, signature: reader.sized(512, 'signature') };
    case TPM_ALG.ecdsa:
      return { scheme: 'ecdsa', hash, r: reader.sized(66, 'signatureR'), s: reader.sized(66, 'signatureS') };
    default:
      throw new FormatError('tpm_format', 'the signature scheme is not known');
  }
}

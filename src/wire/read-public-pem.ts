import { FormatError } from '../core/errors.js';
import type { EvidenceType } from '../core/evidence.js';
import { teeOf } from '../core/evidence-traits.js';
import type { BindingPem } from '../core/request.js';
import { parsePemPublicKey } from '../formats/pem.js';

const PEM = '/binding/pem';

/**
 * Reads a public key as PEM. Evidence contains the digest of the sent text, without a line feed at its end.
 * The computation of the thumbprint checks the kind of key.
 *
 * @throws {FormatError} `schema` for anything but one PUBLIC KEY block, and for evidence that cannot bind it
 */
export function readPublicPem(pem: string, type: EvidenceType): BindingPem {
  if (teeOf(type) !== 'snp') {
    const message = `${type} evidence binds no key as PEM, which is for SEV-SNP: send binding.jwk`;
    throw new FormatError('schema', message, { pointer: PEM });
  }
  const spki = parsePemPublicKey(pem);
  if (spki === null) {
    throw new FormatError('schema', 'this is not one PUBLIC KEY block of PEM, with nothing around it', {
      pointer: PEM,
    });
  }
  return { text: Buffer.from(pem.replace(/\n$/, ''), 'latin1'), spki };
}

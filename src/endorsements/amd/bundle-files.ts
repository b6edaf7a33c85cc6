import { hex, sha256 } from '../../crypto/digest.js';
import type { SnpProduct } from '../../model/claims.js';
import type { SnpSigningKey } from '../../model/endorsement.js';
import type { NamedFile } from '../files/material-files.js';
import { encodePem } from '../files/pem-text.js';
import { lineName } from './amd-keys.js';
import type { AmdChain, AmdVek } from './amd-material.js';
import { crlFileName } from './crl-file-name.js';

/**
 * Names of the files of a bundle. They are for people: whoever reads the folder goes by content. Two different
 * certificates or lists never get one name, except that a line has one chain.
 */
export function chainFile(chain: AmdChain): NamedFile {
  const pem = encodePem(chain.intermediate.der, chain.ark.der);
  return { name: `chain-${lineName(chain)}.pem`, bytes: Buffer.from(pem, 'latin1') };
}

export function vekFile(vek: AmdVek): NamedFile {
  const { der } = vek.certificate;
  return { name: `${vek.signingKey}-${vek.product.toLowerCase()}-${digestOf(der)}.der`, bytes: der };
}

/** @param series VCEK or VLEK, if known: the only part of a file name that is interpreted on import */
export function crlFile(product: SnpProduct, series: SnpSigningKey | null, der: Uint8Array): NamedFile {
  return { name: crlFileName(product, series, der), bytes: der };
}

const digestOf = (der: Uint8Array) => hex(sha256(der)).slice(0, 16);

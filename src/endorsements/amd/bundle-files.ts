import { hex } from '../../core/bytes.js';
import type { SnpProduct } from '../../core/claims.js';
import type { SnpSigningKey } from '../../core/endorsement.js';
import { sha256 } from '../../crypto/digest.js';
import type { AmdChain } from '../../tee/snp/amd/chain.js';
import { lineName, SNP_SIGNING_KEYS } from '../../tee/snp/amd/issuers.js';
import type { AmdVek } from '../../tee/snp/amd/vek.js';
import type { NamedFile } from '../files/material-files.js';

/**
 * Names of the files of a bundle, for operators: the parser of the folder recognises content. Two different
 * certificates or CRLs never get one name, except that a line has one chain.
 */
export function chainFile(chain: AmdChain): NamedFile {
  return { name: `chain-${lineName(chain)}.pem`, bytes: Buffer.from(encodeChain(chain), 'latin1') };
}

export function vekFile({ signingKey, product, sha256: digest, certificate }: AmdVek): NamedFile {
  const name = `${signingKey}-${product.toLowerCase()}-${digest.slice(0, 16)}.der`;
  return { name, bytes: certificate.der };
}

/** @param series VCEK or VLEK, if known: the only part of a file name that an import interprets */
export function crlFile(product: SnpProduct, series: SnpSigningKey | null, der: Uint8Array): NamedFile {
  return { name: crlFileName(product, series, der), bytes: der };
}

/**
 * The file name for an AMD CRL. The CRL itself does not state whether it is for
 * VCEKs or for VLEKs: if that is known from its address, the name states it.
 */
export function crlFileName(product: SnpProduct, series: SnpSigningKey | null, der: Uint8Array): string {
  const line = series === null ? product.toLowerCase() : lineName({ product, signingKey: series });
  return `crl-${line}-${hex(sha256(der)).slice(0, 16)}.crl`;
}

/** The series in a name of `crlFileName`; null for any other name, and for the name of another CRL. */
export function seriesOfCrlFile(name: string, product: SnpProduct, der: Uint8Array): SnpSigningKey | null {
  return SNP_SIGNING_KEYS.find((each) => crlFileName(product, each, der) === name) ?? null;
}

/** ASK or ASVK, then ARK, as PEM in the strict form of RFC 7468. */
export function encodeChain({ intermediate, ark }: AmdChain): string {
  return encodePem(intermediate.der) + encodePem(ark.der);
}

function encodePem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

import { parsePemBlocks } from '../../formats/pem.js';
import { parseCertificate } from '../../formats/x509-certificate.js';
import { parseCrl } from '../../formats/x509-crl.js';
import { FormatError } from '../../model/errors.js';
import { readConfiguredFile } from './configured-file.js';

/** What the operator trusts an issuer's certificates by. */
export interface TokenRoots {
  /** DER, in the order of the file; at least one. */
  readonly certificates: readonly Uint8Array[];
  /** DER. */
  readonly crls: readonly Uint8Array[];
}

/**
 * Reads a PEM file of root certificates and revocation lists. Only their form is checked.
 * @param place the key of the configuration that names it, and what it is for, for people
 * @throws {ConfigurationError}
 */
export function readTokenRoots(path: string, place: string): Promise<TokenRoots> {
  return readConfiguredFile(path, place, parseTokenRoots);
}

function parseTokenRoots(bytes: Uint8Array): TokenRoots {
  const certificates: Uint8Array[] = [];
  const crls: Uint8Array[] = [];
  for (const { label, der } of parsePemBlocks(Buffer.from(bytes).toString('latin1'))) {
    if (label === 'CERTIFICATE') certificates.push(parseCertificate(der).der);
    else crls.push(parseCrl(der).der);
  }
  if (certificates.length === 0) throw new FormatError('cert_format', 'has no certificate');
  return { certificates, crls };
}

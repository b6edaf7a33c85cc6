import type { Configuration } from '../config/configuration.js';
import { spkiDigest } from '../crypto/key-cache.js';
import { readTokenRoots } from '../endorsements/token-keys/token-roots.js';
import { parseCertificate } from '../formats/x509-certificate.js';
import { ConfigurationError } from '../model/errors.js';
import { type IssuerRoots, readIssuerRoots } from './token-issuers.js';

/** Roots that the files of a configuration hold. */
export interface ConfiguredRoots {
  readonly issuers: IssuerRoots;
  /** Of certificates of attestation keys (`tpm.roots`): SHA-256 of the SubjectPublicKeyInfo, lower-case hex. */
  readonly ak: ReadonlySet<string>;
}

export const NO_CONFIGURED_ROOTS: ConfiguredRoots = { issuers: new Map(), ak: new Set() };

/** @throws {ConfigurationError} where a file of roots cannot be read */
export async function readConfiguredRoots(configuration: Configuration): Promise<ConfiguredRoots> {
  const ak = await Promise.all(configuration.tpm.roots.map(readAkRoots));
  return { issuers: await readIssuerRoots(configuration), ak: new Set(ak.flat()) };
}

async function readAkRoots(file: string): Promise<readonly string[]> {
  const { certificates, crls } = await readTokenRoots(file, `tpm.roots: ${file}`);
  if (crls.length > 0) throw new ConfigurationError([`tpm.roots: ${file}: revocation lists have no use here`]);
  return certificates.map((der) => spkiDigest(parseCertificate(der)));
}

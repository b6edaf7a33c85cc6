import { isSameBytes } from '../../../core/bytes.js';
import { FormatError, within } from '../../../core/errors.js';
import { type PathProblem, verifyCertificatePath } from '../../../crypto/certificate-path.js';
import type { PathProfile } from '../../../crypto/path-profile.js';
import { PemChains, requireRootLast } from '../../../crypto/pem-chains.js';
import { parsePemCertificates } from '../../../formats/pem.js';
import type { X509Certificate } from '../../../formats/x509-certificate.js';
import { type PckCa, type PckExtension, parsePckExtension, pckCaNamed } from './pck-extension.js';
import { intelSgxProfile } from './roots.js';

/** A path of PCK certificate, its CA and the root, with its time-independent properties. */
export interface PckPath {
  /** PCK certificate first, root last. */
  readonly certificates: readonly X509Certificate[];
  readonly leaf: X509Certificate;
  /** Null if the certificate has no such extension. */
  readonly pck: PckExtension | null;
  /** The CA that the issuer name of the PCK certificate identifies; null for a name that Intel does not use. */
  readonly ca: PckCa | null;
  /** Empty if names, roles, keys, signatures and extensions are valid. */
  readonly problems: readonly PathProblem[];
}

const PCK_NAME = 'SGX PCK Certificate';
const MAXIMUM_CHAIN = 3;

/**
 * Reads PCK chains and verifies their paths, with a cache by content. Validity and revocation are checked at each
 * request.
 */
export class PckPaths {
  readonly #chains: PemChains<PckPath>;

  constructor(pins: ReadonlySet<string>) {
    const profile = intelSgxProfile(pins);
    const verify = (certificates: readonly X509Certificate[]) => verifyPckPath(certificates, profile);
    this.#chains = new PemChains({ maximum: MAXIMUM_CHAIN, verify, capacity: 2048 });
  }

  /**
   * @param pem PCK certificate first, root last
   * @throws {FormatError} `cert_format`
   * @throws {FormatError} `cert_chain` if it is too long, or if its root is not at the end
   */
  read(pem: string): PckPath {
    return this.#chains.read(pem);
  }
}

/**
 * Requires that a chain outside the quote equals the chain in the quote. Verifies nothing else.
 *
 * @throws {FormatError} `cert_chain`
 */
export function requireSameCertificates(pem: string, certificates: readonly X509Certificate[], about: string): void {
  const supplied = within(about, () => parsePemCertificates(pem, 'cert_chain', { certificates: MAXIMUM_CHAIN }));
  const isSame =
    supplied.length === certificates.length &&
    certificates.every(({ der }, index) => isSameBytes(der, supplied[index] ?? new Uint8Array()));
  if (isSame) return;
  throw new FormatError('cert_chain', 'the certificates are not those of the quote', { pointer: about });
}

function verifyPckPath(certificates: readonly X509Certificate[], profile: PathProfile): PckPath {
  const [leaf] = certificates;
  if (leaf === undefined) throw new FormatError('cert_chain', 'expected PCK certificate, its issuer and the root');
  requireRootLast(certificates);
  const pck = parsePckExtension(leaf);
  const ca = pckCaNamed(leaf.issuer.commonName);
  const problems = verifyCertificatePath(certificates, profile);
  return { certificates, leaf, pck, ca, problems: [...problems, ...roleProblems(certificates, pck, ca, problems)] };
}

/** Verifies the role of a certificate, unless the chain verification already found a fault in it. */
function roleProblems(
  certificates: readonly X509Certificate[],
  pck: PckExtension | null,
  ca: PckCa | null,
  found: readonly PathProblem[],
): readonly PathProblem[] {
  const [leaf] = certificates;
  const role = (index: number, detail: string): PathProblem[] => [{ code: 'cert_role', index, detail }];
  if (leaf?.subject.commonName?.includes(PCK_NAME) !== true) return role(0, 'certificate is not a PCK certificate');
  if (found.length > 0) return [];
  if (ca === null || certificates.length !== MAXIMUM_CHAIN) {
    return role(1, 'issuer of the PCK certificate is not a PCK CA');
  }
  return extensionProblems(pck, ca);
}

/** Verifies that the extension fits the CA: only certificates of the Platform CA name a platform instance. */
function extensionProblems(pck: PckExtension | null, ca: PckCa): readonly PathProblem[] {
  const problem = (detail: string): PathProblem[] => [{ code: 'cert_extension', index: 0, detail }];
  if (pck === null) return problem('PCK certificate has no SGX extension');
  if ((pck.platformInstanceId !== null) === (ca === 'platform')) return [];
  return problem(`SGX extension of the PCK certificate is not that of the ${ca} CA`);
}

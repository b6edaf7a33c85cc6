import { LRUCache } from 'lru-cache';
import { type PathProblem, verifyCertificatePath } from '../../crypto/certificate-path.js';
import { hex, sha256 } from '../../crypto/digest.js';
import { intelSgxProfile, type PathProfile } from '../../crypto/path-profile.js';
import { isSameName } from '../../formats/distinguished-name.js';
import { type PckCa, type PckExtension, parsePckExtension, pckCaNamed } from '../../formats/pck-extension.js';
import { parsePemCertificates } from '../../formats/pem.js';
import { parseCertificate, type X509Certificate } from '../../formats/x509-certificate.js';
import { FormatError } from '../../model/errors.js';

/** PCK certificate, its issuer and the root, with what of them does not change with time. */
export interface PckPath {
  /** PCK certificate first, root last. */
  readonly certificates: readonly X509Certificate[];
  readonly leaf: X509Certificate;
  /** Null where the certificate has no such extension. */
  readonly pck: PckExtension | null;
  /** By the name of the issuer of the PCK certificate; null for a name that Intel does not use. */
  readonly ca: PckCa | null;
  /** Empty where names, roles, keys, signatures and extensions hold. */
  readonly problems: readonly PathProblem[];
}

const PCK_NAME = 'SGX PCK Certificate';
const MAXIMUM_CHAIN = 3;

/**
 * Reads PCK chains and verifies their paths, each content once: keyed by SHA-256 of the text. What changes with time
 * (validity, revocation) is judged at each request. Only paths that hold are kept: nobody but Intel makes those.
 */
export class PckPaths {
  readonly #profile: PathProfile;
  readonly #genuine: LRUCache<string, PckPath>;

  constructor(pins: ReadonlySet<string>, capacity = 2048) {
    this.#profile = intelSgxProfile(pins);
    this.#genuine = new LRUCache({ max: capacity });
  }

  /**
   * @param pem PCK certificate first, root last
   * @throws {FormatError} `cert_format`
   * @throws {FormatError} `cert_chain` where it does not end with one that is its own issuer, or is too long
   */
  read(pem: string): PckPath {
    const key = hex(sha256(Buffer.from(pem, 'latin1')));
    const known = this.#genuine.get(key);
    if (known !== undefined) return known;
    const path = this.#verify(parsePemCertificates(pem, 'cert_chain').map((der) => parseCertificate(der)));
    if (path.problems.length === 0) this.#genuine.set(key, path);
    return path;
  }

  #verify(certificates: readonly X509Certificate[]): PckPath {
    const [leaf] = certificates;
    const root = certificates.at(-1);
    if (leaf === undefined || root === undefined || certificates.length > MAXIMUM_CHAIN) {
      throw new FormatError('cert_chain', 'expected pck certificate, its issuer and the root');
    }
    if (!isSameName(root.issuer, root.subject))
      throw new FormatError('cert_chain', 'the chain does not end with a root');
    const pck = parsePckExtension(leaf);
    const ca = pckCaNamed(leaf.issuer.commonName);
    const problems = verifyCertificatePath(certificates, this.#profile);
    return { certificates, leaf, pck, ca, problems: [...problems, ...roleProblems(certificates, pck, ca, problems)] };
  }
}

/** What a certificate is for, as far as the path has not found fault with it already. */
function roleProblems(
  certificates: readonly X509Certificate[],
  pck: PckExtension | null,
  ca: PckCa | null,
  found: readonly PathProblem[],
): readonly PathProblem[] {
  const [leaf, issuer] = certificates;
  const role = (index: number, detail: string): PathProblem[] => [{ code: 'cert_role', index, detail }];
  if (leaf?.subject.commonName?.includes(PCK_NAME) !== true) return role(0, 'certificate is no pck certificate');
  if (found.length > 0) return [];
  if (ca === null || issuer === undefined || certificates.length !== MAXIMUM_CHAIN) {
    return role(1, 'issuer of the pck certificate is no pck ca');
  }
  return extensionProblems(pck, ca);
}

/** Tells where the extension is not that of the CA: only the Platform CA names a platform instance. */
function extensionProblems(pck: PckExtension | null, ca: PckCa): readonly PathProblem[] {
  const problem = (detail: string): PathProblem[] => [{ code: 'cert_extension', index: 0, detail }];
  if (pck === null) return problem('pck certificate has no sgx extension');
  if ((pck.platformInstanceId !== null) === (ca === 'platform')) return [];
  return problem(`sgx extension of the pck certificate is not that of the ${ca} ca`);
}

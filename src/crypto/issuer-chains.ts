import { LRUCache } from 'lru-cache';
import { parsePemCertificates } from '../formats/pem.js';
import { parseCertificate, type X509Certificate } from '../formats/x509-certificate.js';
import type { PathProblem } from './certificate-path.js';
import { hex, sha256 } from './digest.js';

/** Certificates of a key that signs collateral, its own first, with what of them does not change with time. */
export interface IssuerChain {
  readonly certificates: readonly X509Certificate[];
  /** Empty where the path holds. */
  readonly problems: readonly PathProblem[];
}

/**
 * Reads issuer chains and verifies their paths, each content once: Intel has two or three in use. Only those that hold
 * are kept. Validity and revocation are for whoever relies on them, each time.
 */
export class IssuerChains {
  readonly #verify: (path: readonly X509Certificate[]) => readonly PathProblem[];
  readonly #genuine: LRUCache<string, IssuerChain>;

  /** @param verify says what of a path does not hold, whatever the time */
  constructor(verify: (path: readonly X509Certificate[]) => readonly PathProblem[], capacity = 64) {
    this.#verify = verify;
    this.#genuine = new LRUCache({ max: capacity });
  }

  /**
   * @param pem the signer's certificate first, root last
   * @throws {FormatError} `cert_chain`, `cert_format`
   */
  read(pem: string): IssuerChain {
    const key = hex(sha256(Buffer.from(pem, 'utf8')));
    const known = this.#genuine.get(key);
    if (known !== undefined) return known;
    const certificates = parsePemCertificates(pem, 'cert_chain').map((der) => parseCertificate(der));
    const chain = { certificates, problems: this.#verify(certificates) };
    if (chain.problems.length === 0) this.#genuine.set(key, chain);
    return chain;
  }
}

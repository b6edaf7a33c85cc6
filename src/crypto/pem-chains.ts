import { LRUCache } from 'lru-cache';
import { parsePemCertificates, pemLines } from '../formats/pem.js';
import { isSelfIssued, parseCertificate, type X509Certificate } from '../formats/x509-certificate.js';
import { FormatError } from '../model/errors.js';
import { hex, sha256 } from './digest.js';

interface PemChainsOptions<Chain> {
  /** Certificates that a chain may have. They are counted before any is read. */
  readonly maximum: number;
  /** What of a chain does not change with time. */
  readonly verify: (certificates: readonly X509Certificate[]) => Chain;
  /** Chains that are kept. */
  readonly capacity: number;
}

/**
 * Reads chains of certificates and verifies them, each content once: by SHA-256 of the lines of the text, so that it is
 * one content however its lines end. Only chains that hold are kept, and what somebody makes up drives none of them out.
 *
 * Who sends more genuine chains than there is room for does: those of other platforms, and each with its ECDSA
 * signatures written in both ways (s, n - s). What was driven out is read again.
 */
export class PemChains<Chain extends { readonly problems: readonly unknown[] }> {
  readonly #options: PemChainsOptions<Chain>;
  readonly #genuine: LRUCache<string, Chain>;

  constructor(options: PemChainsOptions<Chain>) {
    this.#options = options;
    this.#genuine = new LRUCache<string, Chain>({ max: options.capacity });
  }

  /**
   * @param pem the first certificate first, root last
   * @throws {FormatError} `cert_chain` where it is not PEM, or too long; `cert_format` of its certificates; as `verify`
   */
  read(pem: string): Chain {
    // UTF-8: in a narrower encoding a text that the reader refuses could have the key of one that it takes
    const key = hex(sha256(Buffer.from(pemLines(pem).join('\n'), 'utf8')));
    const known = this.#genuine.get(key);
    if (known !== undefined) return known;
    const { maximum, verify } = this.#options;
    const chain = verify(parsePemCertificates(pem, 'cert_chain', maximum).map((der) => parseCertificate(der)));
    if (chain.problems.length === 0) this.#genuine.set(key, chain);
    return chain;
  }
}

/**
 * A root is at the end of a chain, and nowhere else. By names: who signed what is for the path.
 *
 * @throws {FormatError} `cert_chain`
 */
export function requireRootLast(certificates: readonly X509Certificate[]): void {
  const [root, ...below] = certificates.toReversed();
  if (root === undefined || !isSelfIssued(root)) {
    throw new FormatError('cert_chain', 'the chain does not end with a root');
  }
  if (below.some(isSelfIssued)) throw new FormatError('cert_chain', 'the chain has a root before its end');
}

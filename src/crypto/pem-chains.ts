import { LRUCache } from 'lru-cache';
import { hex } from '../core/bytes.js';
import { FormatError } from '../core/errors.js';
import { parsePemCertificates } from '../formats/pem.js';
import { isSelfIssued, parseCertificate, type X509Certificate } from '../formats/x509-certificate.js';
import { sha256, textDigest } from './digest.js';

interface PemChainsOptions<Chain> {
  /** Certificates that a chain may have. They are counted before any is read. */
  readonly maximum: number;
  /** The parts of a chain that do not depend on time. */
  readonly verify: (certificates: readonly X509Certificate[]) => Chain;
  /** Chains that are kept. */
  readonly capacity: number;
}

/**
 * Reads chains of certificates and verifies them, each content once: by SHA-256 of the certificates, so that it is one
 * content however its lines end, how long they are, and whatever fills its blocks. Only chains that hold are kept, and
 * what somebody makes up drives none of them out. They are read from copies: nothing of a request is kept with them.
 *
 * A sender evicts chains only with more genuine ones than there is room for: of other platforms, or with both forms of an
 * ECDSA signature (s, n - s). Evicted chains are read again.
 */
export class PemChains<Chain extends { readonly problems: readonly unknown[] }> {
  readonly #options: PemChainsOptions<Chain>;
  readonly #genuine: LRUCache<string, Chain>;
  /** The same by SHA-256 of the text, so that a text that comes again is not decoded. */
  readonly #byText: LRUCache<string, Chain>;

  constructor(options: PemChainsOptions<Chain>) {
    this.#options = options;
    this.#genuine = new LRUCache<string, Chain>({ max: options.capacity });
    this.#byText = new LRUCache<string, Chain>({ max: options.capacity });
  }

  /**
   * @param pem the first certificate first, root last
   * @throws {FormatError} `cert_chain` where it is not PEM, or has too many certificates; `cert_format` where it is too
   *   long, and of its certificates; as `verify`
   */
  read(pem: string): Chain {
    const digest = textDigest(pem);
    const known = this.#byText.get(digest);
    if (known !== undefined) return known;
    const chain = this.#readText(pem);
    if (chain.problems.length === 0) this.#byText.set(digest, chain);
    return chain;
  }

  #readText(pem: string): Chain {
    const { maximum, verify } = this.#options;
    const ders = parsePemCertificates(pem, 'cert_chain', { certificates: maximum });
    const key = hex(sha256(...ders.map((der) => sha256(der))));
    const known = this.#genuine.get(key);
    if (known !== undefined) return known;
    const chain = verify(ders.map((der) => parseCertificate(der)));
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

import { LRUCache } from 'lru-cache';
import { hex } from '../core/bytes.js';
import { FormatError } from '../core/errors.js';
import { parsePemCertificates } from '../formats/pem.js';
import { isSelfIssued, parseCertificate, type X509Certificate } from '../formats/x509-certificate.js';
import { sha256, textDigest } from './digest.js';

interface PemChainsOptions<Chain> {
  /** Most certificates of a chain. They are counted before any is parsed. */
  readonly maximum: number;
  /** The parts of a chain that do not depend on time. */
  readonly verify: (certificates: readonly X509Certificate[]) => Chain;
  /** Most cached chains. */
  readonly capacity: number;
}

/**
 * Parses and verifies chains of certificates, each content once. SHA-256 of the certificates identifies a content,
 * independent of line ends, line lengths and filler bytes in blocks. Only valid chains are cached, so that
 * made-up chains evict none. They are parsed from copies: the cache keeps no bytes of a request.
 *
 * A sender can only evict chains with more genuine chains than the capacity: of other platforms, or with both forms of an
 * ECDSA signature (s, n - s). Evicted chains are parsed again.
 */
export class PemChains<Chain extends { readonly problems: readonly unknown[] }> {
  readonly #options: PemChainsOptions<Chain>;
  readonly #genuine: LRUCache<string, Chain>;
  /** The chains by SHA-256 of their text, so that a repeated text is not decoded. */
  readonly #byText: LRUCache<string, Chain>;

  constructor(options: PemChainsOptions<Chain>) {
    this.#options = options;
    this.#genuine = new LRUCache<string, Chain>({ max: options.capacity });
    this.#byText = new LRUCache<string, Chain>({ max: options.capacity });
  }

  /**
   * @param pem the first certificate first, root last
   * @throws {FormatError} `cert_chain` if it is not PEM, or has too many certificates; `cert_format` if it is too
   *   long, or a certificate is malformed; as `verify`
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
 * Requires a root at the end of a chain, and only there. Compares names: the path verifies signatures.
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

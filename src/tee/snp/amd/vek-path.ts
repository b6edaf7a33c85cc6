import { LRUCache } from 'lru-cache';
import type { SnpProduct } from '../../../core/claims.js';
import type { CheckId } from '../../../core/codes.js';
import type { DerChain, HashedDer } from '../../../core/endorsement.js';
import { FormatError } from '../../../core/errors.js';
import { earliestEnd, type PathProblem, verifyCertificatePath, verifyLeaf } from '../../../crypto/certificate-path.js';
import { spkiDigest } from '../../../crypto/key-cache.js';
import { isSelfIssued, parseCertificate, type X509Certificate } from '../../../formats/x509-certificate.js';
import { type AmdRootPins, productOfPin, profileOf } from './roots.js';
import { parseVek, type Vek } from './vek.js';

/** A path of VEK, ASK or ASVK, and ARK, with its time-independent properties. */
export interface VekPath {
  readonly vek: X509Certificate;
  readonly intermediate: X509Certificate;
  readonly root: X509Certificate;
  /** SHA-256 of each certificate, lower-case hex. */
  readonly sha256: { readonly vek: string; readonly intermediate: string; readonly root: string };
  /** The product line in the issuer name of the VEK; null if it names none. */
  readonly product: SnpProduct | null;
  /** The other product line, if the root of the chain is pinned for a line other than `product`; else null. */
  readonly otherLine: SnpProduct | null;
  /** Empty if names, keys, signatures and extensions are valid. */
  readonly problems: readonly PathProblem[];
}

/**
 * Reads VEKs and verifies their paths, with a cache by SHA-256 of everything that the result depends on. A VEK and its
 * path are cached only if the path verifies, so forged certificates take no memory and evict no genuine ones. They are
 * parsed from copies, because a view would keep the whole request in memory.
 *
 * The chain of a valid path is read and verified once for all VEKs below it. Validity and revocation are verified at
 * each request, even for a cached path.
 */
export class VekPaths {
  readonly #pins: AmdRootPins;
  readonly #veks: LRUCache<string, Vek>;
  readonly #paths: LRUCache<string, VekPath>;
  /** Chains of valid paths. A product line has one for VCEKs and one for VLEKs, and sometimes their predecessors. */
  readonly #chains = new LRUCache<string, Issuers>({ max: 32 });

  constructor(pins: AmdRootPins, capacity = 4096) {
    this.#pins = pins;
    this.#veks = new LRUCache({ max: capacity });
    this.#paths = new LRUCache({ max: capacity });
  }

  /** @throws {FormatError} `cert_format` */
  readVek({ der, sha256 }: HashedDer): Vek {
    return this.#veks.get(sha256) ?? parseVek(new Uint8Array(der), this.#pins, sha256);
  }

  /**
   * @throws {FormatError} `cert_format` if a certificate of the chain is malformed
   * @throws {FormatError} `cert_chain` if the two are not an intermediate and a root, in this order
   */
  verify(vek: Vek, chain: DerChain): VekPath {
    const digests = { vek: vek.sha256, intermediate: chain[0].sha256, root: chain[1].sha256 };
    const key = `${digests.vek},${digests.intermediate},${digests.root}`;
    const known = this.#paths.get(key);
    if (known !== undefined) return known;
    const chainKey = `${vek.product},${digests.intermediate},${digests.root}`;
    const held = this.#chains.get(chainKey);
    const issuers = held ?? readIssuers(chain);
    const [intermediate, root] = issuers;
    // The issuer name of the VEK selects the pins. The root must match one of them.
    const profile = profileOf(this.#pins, vek.product);
    const problems =
      held === undefined
        ? verifyCertificatePath([vek.certificate, ...issuers], profile)
        : verifyLeaf(vek.certificate, issuers, profile);
    const path: VekPath = {
      vek: vek.certificate,
      intermediate,
      root,
      sha256: digests,
      product: vek.product,
      otherLine: this.#otherLineOf(vek, root),
      problems,
    };
    if (path.problems.length === 0) {
      this.#veks.set(vek.sha256, vek);
      this.#paths.set(key, path);
      this.#chains.set(chainKey, issuers);
    }
    return path;
  }

  #otherLineOf({ product }: Vek, root: X509Certificate): SnpProduct | null {
    const digest = spkiDigest(root);
    return product === null || this.#pins.get(product)?.has(digest) === true ? null : productOfPin(this.#pins, digest);
  }
}

/** ASK or ASVK, then ARK. */
type Issuers = readonly [X509Certificate, X509Certificate];

/** Parses copies, because a view would keep the whole request in memory. */
function readIssuers(chain: DerChain): Issuers {
  const [intermediate, root] = [read(chain[0]), read(chain[1])];
  if (isSelfIssued(intermediate) || !isSelfIssued(root)) {
    throw new FormatError('cert_chain', 'expected ASK or ASVK, then ARK, in this order');
  }
  return [intermediate, root];
}

const read = ({ der }: HashedDer) => parseCertificate(new Uint8Array(der));

const NOT_ISSUED: ReadonlySet<CheckId> = new Set(['cert_untrusted', 'cert_algorithm', 'cert_signature']);

/** Whether the intermediate signed the VEK, even if the path has other problems. */
export function isIssued({ problems }: VekPath): boolean {
  return !problems.some(({ index, code }) => index === 0 && NOT_ISSUED.has(code));
}

/** The earliest end of the certificates in a path. */
export function pathEnd(path: VekPath): Date {
  return earliestEnd([path.vek, path.intermediate, path.root]);
}

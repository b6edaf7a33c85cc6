import { LRUCache } from 'lru-cache';
import { hex, sha256 } from '../../crypto/digest.js';
import type { X509Certificate } from '../../formats/x509-certificate.js';
import type { SnpProduct } from '../../model/claims.js';
import type { EndorsementOrigin, FetchContext, Unavailable } from '../../model/endorsement.js';
import { UnfitError } from '../../model/errors.js';
import { SharedRenewals } from '../../outgoing/shared-attempts.js';
import { type AmdChain, hasSigned, readChain } from '../../vendors/amd/chain.js';
import { lineName, type SnpLine } from '../../vendors/amd/issuers.js';
import { type AmdVek, readVek } from '../../vendors/amd/vek.js';
import { kdsProblem } from './amd-kds.js';
import type { AmdParts } from './amd-parts.js';

/** A chain, and where it is from. */
interface HeldChain {
  readonly chain: AmdChain;
  readonly origin: EndorsementOrigin;
}

/** Digests of VEKs whose chain is known. Only VEKs that AMD signed are added. */
const SIGNED_VEKS = 4096;

/** Chains of product lines: from the operator's folder, the cache, or KDS. */
export class AmdChains {
  readonly #parts: AmdParts;
  readonly #renewals: SharedRenewals<readonly HeldChain[]>;
  /** Chains by the SHA-256 of a VEK that they signed. */
  readonly #signers = new LRUCache<string, AmdChain>({ max: SIGNED_VEKS });

  constructor(parts: AmdParts) {
    this.#parts = parts;
    this.#renewals = new SharedRenewals([], parts.clock, parts.tuning.crlRefreshTimeoutMs);
  }

  /** All available chains of a line, the one that is to be tried first in front. */
  async held(line: SnpLine): Promise<readonly HeldChain[]> {
    const stored = this.#parts.directory.chains(line).map((chain) => ({ chain, origin: 'store' as const }));
    const cached = await this.#parts.cache.chains(line);
    return [...stored, ...cached.map((chain) => ({ chain, origin: 'cache' as const }))];
  }

  async find(line: SnpLine, context: FetchContext): Promise<HeldChain | Unavailable> {
    const [first] = await this.held(line);
    return first ?? (await this.#fetch(line, context));
  }

  /**
   * The chain of a line whose ASK or ASVK signed a VEK. AMD can re-issue one with a new key, so where none that is available
   * did, KDS is asked for the chain once more: at most once in ten minutes, since anybody can make up a VEK. Where that
   * does not help, it is the available chain, under which the VEK does not verify.
   *
   * @param vek DER
   */
  async findFor(line: SnpLine, vek: Uint8Array, context: FetchContext): Promise<HeldChain | Unavailable> {
    const held = await this.held(line);
    const [first] = held;
    if (first === undefined) return this.#fetch(line, context);
    const digest = hex(sha256(vek));
    const known = this.#signers.get(digest);
    const knownSigner = held.find(({ chain }) => chain === known);
    if (knownSigner !== undefined) return knownSigner;
    const read = vekOfLine(vek, line);
    if (read === null) return first;
    return (
      this.#signerOf(read, digest, held) ?? this.#signerOf(read, digest, await this.#renewed(line, context)) ?? first
    );
  }

  /** The root of a line, from wherever one is available; requested from KDS where none is. */
  async ark(line: SnpLine, context: FetchContext): Promise<X509Certificate | Unavailable> {
    const held = await this.heldArk(line.product);
    if (held !== null) return held;
    const found = await this.#fetch(line, context);
    return 'code' in found ? found : found.chain.ark;
  }

  async heldArk(product: SnpProduct): Promise<X509Certificate | null> {
    const { directory, cache } = this.#parts;
    const stored = directory.ark(product);
    if (stored !== null) return stored;
    const [vcek] = await cache.chains({ product, signingKey: 'vcek' });
    const [vlek] = await cache.chains({ product, signingKey: 'vlek' });
    return (vcek ?? vlek)?.ark ?? null;
  }

  /** Ends fetches that no request waits for. */
  close(): void {
    this.#renewals.close();
  }

  #signerOf(vek: AmdVek, digest: string, chains: readonly HeldChain[]): HeldChain | null {
    const signer = chains.find(({ chain }) => hasSigned(chain, vek)) ?? null;
    if (signer !== null) this.#signers.set(digest, signer.chain);
    return signer;
  }

  /** What KDS has now, beside the available chains. A historical request caches nothing, so it shares nothing. */
  async #renewed(line: SnpLine, { signal, historical }: FetchContext): Promise<readonly HeldChain[]> {
    if (this.#parts.kds === null) return [];
    const key = historical ? `${lineName(line)} in the past` : lineName(line);
    return this.#renewals.share(key, signal, async (ownSignal) => {
      const renewed = await this.#fetch(line, { signal: ownSignal, historical });
      return 'code' in renewed ? [] : [renewed];
    });
  }

  async #fetch(
    line: SnpLine,
    { signal, historical }: Pick<FetchContext, 'signal' | 'historical'>,
  ): Promise<HeldChain | Unavailable> {
    const { kds, cache, pins } = this.#parts;
    const what = `no certificate chain of ${line.product} for a ${line.signingKey.toUpperCase()}`;
    if (kds === null) return { code: 'vcek_unavailable', detail: what, retryable: false };
    try {
      const pem = await kds.chain(line.product, line.signingKey, { signal, remember: !historical });
      const chain = readChain(pem, line, pins);
      if (!historical) await cache.keepChain(chain);
      return { chain, origin: 'network' };
    } catch (error) {
      return kdsProblem('vcek_unavailable', what, error);
    }
  }
}

/** Null where it is no VEK, or one whose issuer names another line: no chain of this line can have signed it. */
function vekOfLine(der: Uint8Array, line: SnpLine): AmdVek | null {
  try {
    const vek = readVek(der);
    return lineName(vek) === lineName(line) ? vek : null;
  } catch (error) {
    if (error instanceof UnfitError) return null;
    throw error;
  }
}

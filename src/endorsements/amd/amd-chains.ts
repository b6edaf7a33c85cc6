import { LRUCache } from 'lru-cache';
import type { FetchContext, SuppliedVek, Unavailable } from '../../core/endorsement.js';
import type { X509Certificate } from '../../formats/x509-certificate.js';
import { SharedRenewals } from '../../outside/shared-attempts.js';
import { type AmdChain, isSameChain, readChain } from '../../tee/snp/amd/chain.js';
import { lineName, type SnpLine } from '../../tee/snp/amd/issuers.js';
import { isRevokedAt } from './amd-crl-supply.js';
import { type KdsFailure, kdsFailure, latin1Text } from './amd-kds.js';
import type { AmdParts } from './amd-parts.js';
import type { HeldChain, LineSnapshot } from './line-snapshots.js';

/** A VEK whose chain is searched. */
export type VekBelowChain = Omit<SuppliedVek, 'isIssuedBy'> & { readonly isIssuedBy: (chain: AmdChain) => boolean };

/** Digests of VEKs with known chains. Only VEKs with a valid signature of AMD are added. */
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

  /** The preferred chain; if none is cached or configured, that of KDS. */
  first({ line, chains }: LineSnapshot, context: FetchContext): HeldChain | Promise<HeldChain | Unavailable> {
    const [held] = chains;
    return held ?? this.#fetch(line, context).then((found) => ('problem' in found ? found.problem : found));
  }

  /** The chain that signed the VEK, if there is one. Before the VEK is known, any chain of the line. */
  async of(
    snapshot: LineSnapshot,
    vek: VekBelowChain | null | Promise<VekBelowChain | null>,
    context: FetchContext,
  ): Promise<HeldChain | Unavailable> {
    const [first, below] = await Promise.all([this.first(snapshot, context), vek]);
    return 'code' in first || below === null ? first : this.signerOf(snapshot, first, below, context);
  }

  /**
   * Selects the chain whose ASK or ASVK signed a VEK. AMD can re-issue one with a new key, or with the
   * same key, and revoke the earlier certificate. So if no chain signed the VEK, or a CRL revokes those that did, KDS
   * is called again for the chain: at most once in ten minutes, since an attacker can make up a VEK. If that does not
   * help, the result is the chain that signed it, else the first, under which the VEK does not verify.
   */
  signerOf(
    { line, chains, crls }: LineSnapshot,
    first: HeldChain,
    vek: VekBelowChain,
    context: FetchContext,
  ): HeldChain | Promise<HeldChain> {
    if (!vek.namesIssuer) return first;
    const held = [first, ...chains.slice(1)];
    const isGood = ({ chain }: HeldChain) => !isRevokedAt(chain, crls, context.at);
    const signer = this.#signerAmong(held.filter(isGood), vek);
    if (signer !== null) return signer;
    return this.#renewed(line, context).then(
      (renewed) => this.#signerAmong(renewed.filter(isGood), vek) ?? this.#signerAmong(held, vek) ?? first,
    );
  }

  /** Fetches the root of a line from KDS. */
  async fetchArk(line: SnpLine, context: FetchContext): Promise<X509Certificate | KdsFailure> {
    const found = await this.#fetch(line, context);
    return 'problem' in found ? found : found.chain.ark;
  }

  /** Ends fetches that no request waits for. */
  close(): void {
    this.#renewals.close();
  }

  #signerAmong(chains: readonly HeldChain[], vek: VekBelowChain): HeldChain | null {
    const known = this.#signers.get(vek.sha256);
    const before = chains.find(({ chain }) => known !== undefined && isSameChain(chain, known));
    if (before !== undefined) return before;
    const signer = chains.find(({ chain }) => vek.isIssuedBy(chain)) ?? null;
    if (signer !== null) this.#signers.set(vek.sha256, signer.chain);
    return signer;
  }

  /** The current chain of KDS, beside the available chains. A historical request caches nothing, so it shares nothing. */
  async #renewed(line: SnpLine, { signal, historical }: FetchContext): Promise<readonly HeldChain[]> {
    if (this.#parts.kds === null) return [];
    const key = historical ? `${lineName(line)} in the past` : lineName(line);
    return this.#renewals.share(key, signal, async (ownSignal) => {
      const renewed = await this.#fetch(line, { signal: ownSignal, historical });
      return 'problem' in renewed ? [] : [renewed];
    });
  }

  async #fetch(
    line: SnpLine,
    { signal, historical }: Pick<FetchContext, 'signal' | 'historical'>,
  ): Promise<HeldChain | KdsFailure> {
    const { kds, cache, pins, clock } = this.#parts;
    const what = `no certificate chain of ${line.product} for a ${line.signingKey.toUpperCase()}`;
    if (kds === null) {
      return { problem: { code: 'vcek_unavailable', detail: what, retryable: false }, outOfReach: true };
    }
    try {
      return await kds.chain(line.product, line.signingKey, {
        signal,
        remember: !historical,
        take: async (pem): Promise<HeldChain> => {
          const fetchedAt = clock.now();
          const chain = readChain(latin1Text(pem), line, pins);
          if (!historical) await cache.keepChain(chain, fetchedAt);
          return { chain, origin: 'network', fetchedAt };
        },
      });
    } catch (error) {
      return kdsFailure('vcek_unavailable', what, error);
    }
  }
}

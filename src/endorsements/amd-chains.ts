import type { X509Certificate } from '../formats/x509-certificate.js';
import type { SnpProduct } from '../model/claims.js';
import type { EndorsementOrigin, FetchContext, Unavailable } from '../model/endorsement.js';
import type { AmdCache } from './amd-cache.js';
import type { AmdDirectory } from './amd-directory.js';
import type { AmdKds } from './amd-kds.js';
import type { SnpLine } from './amd-keys.js';
import { type AmdChain, type AmdRootPins, readChain } from './amd-material.js';
import { kdsProblem } from './unavailable.js';

interface AmdChainsOptions {
  readonly pins: AmdRootPins;
  readonly directory: AmdDirectory;
  readonly cache: AmdCache;
  /** Null where KDS is switched off. */
  readonly kds: AmdKds | null;
}

/** A chain, and where it is from. */
interface HeldChain {
  readonly chain: AmdChain;
  readonly origin: EndorsementOrigin;
}

/** Chains of product lines: from the operator's folder, the cache, or KDS. */
export class AmdChains {
  readonly #options: AmdChainsOptions;

  constructor(options: AmdChainsOptions) {
    this.#options = options;
  }

  async local(line: SnpLine): Promise<HeldChain | null> {
    const stored = this.#options.directory.chain(line);
    if (stored !== null) return { chain: stored, origin: 'store' };
    const cached = await this.#options.cache.chain(line);
    return cached === null ? null : { chain: cached, origin: 'cache' };
  }

  async find(line: SnpLine, context: FetchContext): Promise<HeldChain | Unavailable> {
    return (await this.local(line)) ?? (await this.#fetch(line, context));
  }

  /** The root of a line, from wherever one is held; asked for at KDS where none is. */
  async ark(line: SnpLine, context: FetchContext): Promise<X509Certificate | Unavailable> {
    const stored = this.#options.directory.ark(line.product) ?? (await this.#cachedArk(line.product));
    if (stored !== null) return stored;
    const found = await this.#fetch(line, context);
    return 'code' in found ? found : found.chain.ark;
  }

  async #cachedArk(product: SnpProduct): Promise<X509Certificate | null> {
    const { cache } = this.#options;
    const chain =
      (await cache.chain({ product, signingKey: 'vcek' })) ?? (await cache.chain({ product, signingKey: 'vlek' }));
    return chain?.ark ?? null;
  }

  async #fetch(line: SnpLine, { signal, historical }: FetchContext): Promise<HeldChain | Unavailable> {
    const { kds, cache, pins } = this.#options;
    const what = `no certificate chain of ${line.product} for a ${line.signingKey.toUpperCase()}`;
    if (kds === null) return { code: 'vcek_unavailable', detail: what, retryable: false };
    try {
      const chain = readChain(
        await kds.chain(line.product, line.signingKey, { signal, remember: !historical }),
        line,
        pins,
      );
      if (!historical) await cache.keepChain(chain);
      return { chain, origin: 'network' };
    } catch (error) {
      return kdsProblem('vcek_unavailable', what, error);
    }
  }
}

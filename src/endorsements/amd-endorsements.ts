import type { SnpProduct } from '../model/claims.js';
import {
  type EndorsementRequest,
  type EndorsementSet,
  type EndorsementSource,
  type FetchContext,
  NO_ENDORSEMENTS,
  type SnpEndorsementRequest,
  type SnpEndorsementSet,
  type Sourced,
  type Unavailable,
} from '../model/endorsement.js';
import type { AmdChains } from './amd-chains.js';
import type { AmdCrls } from './amd-crls.js';
import type { SnpLine } from './amd-keys.js';
import type { AmdVeks } from './amd-veks.js';

type ChainDer = readonly [Uint8Array, Uint8Array];

/** What was found for one line. */
interface FoundForLine {
  readonly product: SnpProduct;
  /** Null where the request brings it. */
  readonly chain: Sourced<ChainDer> | Unavailable | null;
  readonly crl: Sourced<Uint8Array> | Unavailable;
}

/** Finds AMD's endorsements of SNP reports. What is out of reach is said, never thrown. */
export class AmdEndorsements implements EndorsementSource {
  readonly #veks: AmdVeks;
  readonly #chains: AmdChains;
  readonly #crls: AmdCrls;
  readonly #ready: Promise<void>;

  /** @param ready folder and cache are read */
  constructor(veks: AmdVeks, chains: AmdChains, crls: AmdCrls, ready: Promise<void> = Promise.resolve()) {
    this.#veks = veks;
    this.#chains = chains;
    this.#crls = crls;
    this.#ready = ready;
  }

  async fetch(requests: readonly EndorsementRequest[], context: FetchContext): Promise<EndorsementSet> {
    // One evidence has one report.
    const request = requests.find((candidate) => candidate.kind === 'amd-snp');
    if (request === undefined) return NO_ENDORSEMENTS;
    await this.#ready;
    return { snp: await this.#forReport(request, context) };
  }

  /** Where one line fits, all is looked for at once; where several do, the VEK tells which. */
  async #forReport(request: SnpEndorsementRequest, context: FetchContext): Promise<SnpEndorsementSet> {
    const vekWanted = request.has.vek ? null : this.#veks.find(request, context);
    const products = request.products.length > 1 ? await narrowed(request.products, vekWanted) : request.products;
    const [vek, lines] = await Promise.all([
      vekWanted,
      Promise.all(products.map((product) => this.#forLine(product, request, context))),
    ]);
    return {
      vek: vek === null || 'code' in vek ? vek : { value: vek.value.certificate.der, origin: vek.origin },
      ...byLine(lines),
    };
  }

  async #forLine(
    product: SnpProduct,
    { signingKey, has }: SnpEndorsementRequest,
    context: FetchContext,
  ): Promise<FoundForLine> {
    const line = { product, signingKey };
    const [chain, crl] = await Promise.all([has.chain ? null : this.#chain(line, context), this.#crl(line, context)]);
    return { product, chain, crl };
  }

  async #chain(line: SnpLine, context: FetchContext): Promise<Sourced<ChainDer> | Unavailable> {
    const found = await this.#chains.find(line, context);
    if ('code' in found) return found;
    const { intermediate, ark } = found.chain;
    return { value: [intermediate.der, ark.der], origin: found.origin };
  }

  /** A list counts only under a root that is held: one that nothing vouches for is not held at all. */
  async #crl(line: SnpLine, context: FetchContext): Promise<Sourced<Uint8Array> | Unavailable> {
    const ark = await this.#chains.ark(line, context);
    if (!('code' in ark)) return this.#crls.find(line, ark, context);
    const detail = `no root to verify a revocation list of ${line.product} by: ${ark.detail}`;
    return { code: 'crl_unavailable', detail, retryable: ark.retryable };
  }
}

async function narrowed(
  products: readonly SnpProduct[],
  vek: Promise<Sourced<{ readonly product: SnpProduct }> | Unavailable> | null,
): Promise<readonly SnpProduct[]> {
  const found = await vek;
  return found === null || 'code' in found ? products : [found.value.product];
}

function byLine(lines: readonly FoundForLine[]): Omit<SnpEndorsementSet, 'vek'> {
  const chains = new Map<SnpProduct, Sourced<ChainDer>>();
  const crls = new Map<SnpProduct, Sourced<Uint8Array>>();
  const crlProblems = new Map<SnpProduct, Unavailable>();
  let chainProblem: Unavailable | null = null;
  for (const { product, chain, crl } of lines) {
    if (chain !== null && 'code' in chain) chainProblem ??= chain;
    else if (chain !== null) chains.set(product, chain);
    if ('code' in crl) crlProblems.set(product, crl);
    else crls.set(product, crl);
  }
  return { chains, chainProblem, crls, crlProblems };
}

import type { SnpProduct } from '../../model/claims.js';
import {
  type EndorsementRequest,
  type EndorsementSet,
  type EndorsementSource,
  type FetchContext,
  type MissingCrl,
  NO_ENDORSEMENTS,
  type SnpEndorsementRequest,
  type SnpEndorsementSet,
  type Sourced,
  type Unavailable,
} from '../../model/endorsement.js';
import { isSameChain } from '../../vendors/amd/chain.js';
import type { SnpLine } from '../../vendors/amd/issuers.js';
import type { AmdVek } from '../../vendors/amd/vek.js';
import type { AmdChains } from './amd-chains.js';
import type { HeldCrl } from './amd-crl-supply.js';
import type { AmdCrls, FoundCrls } from './amd-crls.js';
import type { AmdVeks } from './amd-veks.js';

type ChainDer = readonly [Uint8Array, Uint8Array];

/** What finds the material of one kind each. */
export interface AmdFinders {
  readonly veks: AmdVeks;
  readonly chains: AmdChains;
  readonly crls: AmdCrls;
}

/** What was found for one line. */
interface FoundForLine {
  readonly product: SnpProduct;
  /** Null where the request supplies it. */
  readonly chain: Sourced<ChainDer> | Unavailable | null;
  readonly crl: FoundCrl;
}

/** The CRL of a line's series, or why there is none, and all others that are available. */
interface FoundCrl {
  readonly own: Sourced<Uint8Array> | MissingCrl;
  readonly others: readonly Sourced<Uint8Array>[];
}

/** Finds AMD's endorsements of SNP reports. Unavailable ones are returned as such, never thrown. */
export class AmdEndorsements implements EndorsementSource {
  readonly #finders: AmdFinders;
  readonly #ready: Promise<void>;

  /** @param ready folder and cache are read */
  constructor(finders: AmdFinders, ready: Promise<void>) {
    this.#finders = finders;
    this.#ready = ready;
  }

  async fetch(requests: readonly EndorsementRequest[], context: FetchContext): Promise<EndorsementSet> {
    // One evidence has one report.
    const request = requests.find((candidate) => candidate.kind === 'amd-snp');
    if (request === undefined) return NO_ENDORSEMENTS;
    await this.#ready;
    return { snp: await this.#forReport(request, context) };
  }

  /** If one product line fits, everything is fetched in parallel; if several fit, the VEK decides which. */
  async #forReport(request: SnpEndorsementRequest, context: FetchContext): Promise<SnpEndorsementSet> {
    const { brought } = request;
    const vekWanted = brought.vek === null ? this.#finders.veks.find(request, context) : null;
    const products = request.products.length > 1 ? await narrowed(request.products, vekWanted) : request.products;
    const vekDer = vekWanted === null ? Promise.resolve(brought.vek) : vekWanted.then(derOf);
    const [vek, lines] = await Promise.all([
      vekWanted,
      Promise.all(products.map((product) => this.#forLine(product, vekDer, request, context))),
    ]);
    return {
      vek: vek === null || 'code' in vek ? vek : { value: vek.value.certificate.der, origin: vek.origin },
      ...byLine(lines),
    };
  }

  async #forLine(
    product: SnpProduct,
    vek: Promise<Uint8Array | null>,
    { signingKey, brought }: SnpEndorsementRequest,
    context: FetchContext,
  ): Promise<FoundForLine> {
    const line = { product, signingKey };
    const [chain, crl] = await Promise.all([
      brought.chain ? null : this.#chain(line, vek, context),
      this.#crl(line, brought.crls, context),
    ]);
    return { product, chain, crl };
  }

  /** The chain that signed the VEK, if there is one. Before the VEK is known, any chain of the line. */
  async #chain(
    line: SnpLine,
    vek: Promise<Uint8Array | null>,
    context: FetchContext,
  ): Promise<Sourced<ChainDer> | Unavailable> {
    const [any, der] = await Promise.all([this.#finders.chains.find(line, context), vek]);
    const found = 'code' in any || der === null ? any : await this.#finders.chains.findFor(line, der, context);
    if ('code' in found) return found;
    const { intermediate, ark } = found.chain;
    // What was fetched for this request is in the cache by now.
    const origin = !('code' in any) && isSameChain(any.chain, found.chain) ? any.origin : found.origin;
    return { value: [intermediate.der, ark.der], origin };
  }

  /** A CRL counts only if the ARK that signed it is available: an unverified CRL is not used. */
  async #crl(line: SnpLine, brought: boolean, context: FetchContext): Promise<FoundCrl> {
    const ark = await this.#finders.chains.ark(line, context);
    if (!('code' in ark)) return sourced(await this.#finders.crls.find({ line, ark }, context, brought));
    const detail = `no root to verify a CRL of ${line.product} with: ${ark.detail}`;
    const problem = { code: 'crl_unavailable', detail, retryable: ark.retryable } as const;
    return this.#finders.crls.withoutRoot(line, problem, context);
  }
}

function derOf(vek: Sourced<AmdVek> | Unavailable): Uint8Array | null {
  return 'code' in vek ? null : vek.value.certificate.der;
}

function sourced({ own, others }: FoundCrls): FoundCrl {
  const bytesOf = ({ list, origin }: HeldCrl) => ({ value: list.der, origin });
  return { own: 'code' in own ? own : bytesOf(own), others: others.map(bytesOf) };
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
  const otherCrls = new Map<SnpProduct, readonly Sourced<Uint8Array>[]>();
  const crlProblems = new Map<SnpProduct, MissingCrl>();
  let chainProblem: Unavailable | null = null;
  for (const { product, chain, crl } of lines) {
    if (chain !== null && 'code' in chain) chainProblem ??= chain;
    else if (chain !== null) chains.set(product, chain);
    if ('code' in crl.own) crlProblems.set(product, crl.own);
    else crls.set(product, crl.own);
    otherCrls.set(product, crl.others);
  }
  return { chains, chainProblem, crls, otherCrls, crlProblems };
}

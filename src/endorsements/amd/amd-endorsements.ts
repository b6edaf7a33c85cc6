import type { SnpProduct } from '../../core/claims.js';
import {
  type DerChain,
  type EndorsementRequest,
  type EndorsementSet,
  type EndorsementSource,
  type FetchContext,
  type HashedDer,
  type MissingCrl,
  NO_ENDORSEMENTS,
  type SnpEndorsementRequest,
  type SnpEndorsementSet,
  type Sourced,
  type SourcedCrl,
  type SuppliedVek,
  type Unavailable,
} from '../../core/endorsement.js';
import type { SnpLine } from '../../tee/snp/amd/issuers.js';
import type { AmdVek } from '../../tee/snp/amd/vek.js';
import type { AmdChains, VekBelowChain } from './amd-chains.js';
import type { AmdCrls, CrlRequest, FoundCrls } from './amd-crls.js';
import { type AmdVeks, belowChain } from './amd-veks.js';
import { isRooted, type LineSnapshot, type LineSnapshots } from './line-snapshots.js';

/** A finder for the endorsements of each kind. */
export interface AmdFinders {
  readonly veks: AmdVeks;
  readonly chains: AmdChains;
  readonly crls: AmdCrls;
  readonly snapshots: LineSnapshots;
}

/** The endorsements for one product line. */
interface FoundForLine {
  readonly product: SnpProduct;
  /** Null if the request supplies it. */
  readonly chain: Sourced<DerChain> | Unavailable | null;
  readonly crl: FoundCrl;
}

/** The CRL of a line's series, or why there is none, and all others that are available. */
interface FoundCrl {
  readonly own: SourcedCrl | MissingCrl;
  readonly others: readonly Sourced<HashedDer>[];
}

/** Finds AMD's endorsements for SNP reports. Returns missing ones as problems, and never throws. */
export class AmdEndorsements implements EndorsementSource {
  readonly #finders: AmdFinders;
  readonly #ready: Promise<void>;

  /** @param ready resolves once folder and cache are read */
  constructor(finders: AmdFinders, ready: Promise<void>) {
    this.#finders = finders;
    this.#ready = ready;
  }

  async fetch(requests: readonly EndorsementRequest[], context: FetchContext): Promise<EndorsementSet> {
    // Evidence has at most one report.
    const request = requests.find((candidate) => candidate.kind === 'amd-snp');
    if (request === undefined) return NO_ENDORSEMENTS;
    await this.#ready;
    return { snp: await this.#forReport(request, context) };
  }

  /** For one possible product line, fetches everything in parallel; for several, the VEK decides which. */
  async #forReport(request: SnpEndorsementRequest, context: FetchContext): Promise<SnpEndorsementSet> {
    const { supplied, signingKey } = request;
    const vekWanted = supplied.vek === null ? this.#finders.veks.find(request, context) : null;
    const products = request.products.length > 1 ? await narrowed(request.products, vekWanted) : request.products;
    const [vek, ...lines] = await Promise.all([
      vekWanted,
      ...products.map((product) => this.#forLine({ product, signingKey }, vekWanted ?? supplied.vek, request, context)),
    ]);
    return {
      vek: vek === null || 'code' in vek ? vek : { ...vek, value: hashedVek(vek.value) },
      ...byLine(lines),
    };
  }

  async #forLine(
    line: SnpLine,
    vek: Vek,
    request: SnpEndorsementRequest,
    context: FetchContext,
  ): Promise<FoundForLine> {
    const { supplied } = request;
    const snapshot = await this.#finders.snapshots.of(line);
    const chainWanted = supplied.chain ? null : this.#chain(snapshot, vek, context);
    const isPathVerified = async () => {
      const [foundVek, foundChain] = await Promise.all([vek instanceof Promise ? vek : null, chainWanted]);
      return request.hasPath(derOf(foundVek), certificatesOf(foundChain));
    };
    const [chain, crl] = await Promise.all([
      chainWanted,
      this.#crl(snapshot, { supplied: supplied.crls, isPathVerified }, context),
    ]);
    return { product: line.product, chain, crl };
  }

  async #chain(snapshot: LineSnapshot, vek: Vek, context: FetchContext): Promise<Sourced<DerChain> | Unavailable> {
    const below = vek instanceof Promise ? vek.then(foundBelow) : suppliedBelow(vek);
    const found = await this.#finders.chains.of(snapshot, below, context);
    if ('code' in found) return found;
    const { chain, ...from } = found;
    return { value: chain.ders, ...from };
  }

  /** A CRL is only used with the ARK that signed it: an unverified CRL is ignored. */
  async #crl(snapshot: LineSnapshot, request: CrlRequest, context: FetchContext): Promise<FoundCrl> {
    const { chains, crls, snapshots } = this.#finders;
    const { line } = snapshot;
    if (isRooted(snapshot)) return sourced(await crls.find(snapshot, context, request));
    const fetched = await chains.fetchArk(line, context);
    if (!('problem' in fetched)) {
      return sourced(await crls.find(await snapshots.under(snapshot, fetched), context, request));
    }
    const { problem, outOfReach } = fetched;
    const detail = `no root to verify a CRL of ${line.product} with: ${problem.detail}`;
    const missing: Unavailable = { code: 'crl_unavailable', detail, retryable: problem.retryable };
    return crls.withoutRoot(snapshot, { problem: missing, outOfReach }, context);
  }
}

/** The VEK whose chain is searched: that of the request, or a running search for one. */
type Vek = SuppliedVek | null | Promise<Sourced<AmdVek> | Unavailable>;

function suppliedBelow(vek: SuppliedVek | null): VekBelowChain | null {
  return vek && { ...vek, isIssuedBy: (chain) => vek.isIssuedBy(chain.ders) };
}

function foundBelow(vek: Sourced<AmdVek> | Unavailable): VekBelowChain | null {
  return 'code' in vek ? null : belowChain(vek.value);
}

function derOf(vek: Sourced<AmdVek> | Unavailable | null): HashedDer | null {
  return vek === null || 'code' in vek ? null : hashedVek(vek.value);
}

function certificatesOf(chain: Sourced<DerChain> | Unavailable | null): DerChain | null {
  return chain === null || 'code' in chain ? null : chain.value;
}

const hashedVek = ({ certificate: { der }, sha256 }: AmdVek): HashedDer => ({ der, sha256 });

function sourced({ own, others }: FoundCrls): FoundCrl {
  return { own: 'code' in own ? own : own.sourced, others: others.map((crl) => crl.sourced) };
}

async function narrowed(
  products: readonly SnpProduct[],
  vek: Promise<Sourced<{ readonly product: SnpProduct }> | Unavailable> | null,
): Promise<readonly SnpProduct[]> {
  const found = await vek;
  return found === null || 'code' in found ? products : [found.value.product];
}

function byLine(lines: readonly FoundForLine[]): Omit<SnpEndorsementSet, 'vek'> {
  const chains = new Map<SnpProduct, Sourced<DerChain>>();
  const crls = new Map<SnpProduct, SourcedCrl>();
  const otherCrls = new Map<SnpProduct, readonly Sourced<HashedDer>[]>();
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

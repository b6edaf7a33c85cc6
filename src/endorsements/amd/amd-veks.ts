import { LRUCache } from 'lru-cache';
import type { FetchContext, SnpEndorsementRequest, Sourced, Unavailable } from '../../core/endorsement.js';
import { UnfitError } from '../../core/errors.js';
import { RENEWAL_PAUSE_MS } from '../../outside/shared-attempts.js';
import { type AmdChain, hasSigned } from '../../tee/snp/amd/chain.js';
import type { SnpLine } from '../../tee/snp/amd/issuers.js';
import type { VcekSubject } from '../../tee/snp/amd/vek.js';
import { type AmdVek, isForTcb, issuedAt, isVcekOf, readVek, verifyVek } from '../../tee/snp/amd/vek.js';
import { attempt } from '../files/material-files.js';
import { fetchedOn } from './amd-cache.js';
import type { AmdChains, VekBelowChain } from './amd-chains.js';
import { isRevokedAt } from './amd-crl-supply.js';
import { kdsProblem } from './amd-kds.js';
import type { AmdParts } from './amd-parts.js';
import type { LineSnapshots } from './line-snapshots.js';

type HeldVek = Sourced<AmdVek>;

const MAX_REMEMBERED_REQUESTS = 4096;

/** Finds the certificate of the key that signed a report: in the operator's folder, the cache, or KDS. */
export class AmdVeks {
  readonly #parts: AmdParts;
  readonly #chains: AmdChains;
  readonly #snapshots: LineSnapshots;
  /** Certificates of the folder, each verified once under the available chain. */
  readonly #vouchedFor = new WeakMap<AmdVek, AmdChain>();
  /** Monotonic times of the last KDS request for a replacement of a VEK below a revoked ASK, by SHA-256. */
  readonly #lastRequestedAt = new LRUCache<string, number>({ max: MAX_REMEMBERED_REQUESTS });

  constructor(parts: AmdParts, chains: AmdChains, snapshots: LineSnapshots) {
    this.#parts = parts;
    this.#chains = chains;
    this.#snapshots = snapshots;
  }

  /** Searches folder and cache for every possible product line, before KDS. */
  async find(request: SnpEndorsementRequest, context: FetchContext): Promise<HeldVek | Unavailable> {
    if (request.signingKey === 'vlek') return this.#vlek(request, context);
    if (request.chipId.every((byte) => byte === 0)) {
      return { code: 'vcek_unavailable', detail: 'the chip id is masked, so no VCEK can be found', retryable: false };
    }
    const subjects = request.products.map((product) => ({
      product,
      chipId: request.chipId.subarray(0, request.chipIdBytes(product)),
      tcb: request.reportedTcb(product),
    }));
    const held = await this.#local(subjects, context);
    const isGood = held !== null && !hasEnded(held.value, context.at);
    const signer = isGood ? await this.#revokedSigner(held.value, context.at) : null;
    if (held !== null && signer !== null) return this.#instead(held, subjects, context);
    if (isGood) return held;
    const fetched = await this.#fetchFirst(subjects, context);
    // An expired VEK is returned, so that the answer reports it, unless KDS may have a newer one.
    return held !== null && 'code' in fetched && !fetched.retryable ? held : fetched;
  }

  /** The chain that signed a VEK, if a CRL revokes its ASK and no other chain signed it: AMD may have re-issued the VEK. */
  async #revokedSigner(vek: AmdVek, at: Date): Promise<AmdChain | null> {
    const { chains, crls } = await this.#snapshots.of(vek);
    const revoked = chains.filter(({ chain }) => isRevokedAt(chain, crls, at));
    const signer = revoked.find(({ chain }) => hasSigned(chain, vek))?.chain ?? null;
    const isGood = signer !== null && chains.some((held) => !revoked.includes(held) && hasSigned(held.chain, vek));
    return isGood ? null : signer;
  }

  /** The replacement of a VEK below a revoked ASK: an earlier fetched one, or else the current one of KDS. */
  async #instead(held: HeldVek, subjects: readonly VcekSubject[], context: FetchContext): Promise<HeldVek> {
    const cached = (await Promise.all(subjects.map((subject) => this.#cached(subject)))).flat();
    const others = cached.filter(({ value }) => value.sha256 !== held.value.sha256 && isValid(value, context.at));
    for (const other of others) {
      if ((await this.#revokedSigner(other.value, context.at)) === null) return other;
    }
    return (await this.#reissued(held.value, subjects, context)) ?? held;
  }

  /** KDS's replacement for a VEK below a revoked ASK, fetched once in ten minutes; null if it is the same. */
  async #reissued(vek: AmdVek, subjects: readonly VcekSubject[], context: FetchContext): Promise<HeldVek | null> {
    const { clock } = this.#parts;
    const askedAt = this.#lastRequestedAt.get(vek.sha256);
    if (askedAt !== undefined && clock.monotonicMs() - askedAt < RENEWAL_PAUSE_MS) return null;
    const fetched = await this.#fetchFirst(subjects, context);
    // Only an answer counts: callers can prevent the request to KDS, and a historical request stores nothing.
    const isAnswer = !('code' in fetched) || !fetched.retryable;
    if (isAnswer && !context.historical) this.#lastRequestedAt.set(vek.sha256, clock.monotonicMs());
    return 'code' in fetched ? null : fetched;
  }

  async #local(subjects: readonly VcekSubject[], context: FetchContext): Promise<HeldVek | null> {
    const { at } = context;
    const stored = await Promise.all(
      subjects.map((subject) =>
        this.#stored({ product: subject.product, signingKey: 'vcek' }, (vek) => isVcekOf(vek, subject), context),
      ),
    );
    const best = bestAt(stored.flat(), at);
    if (best !== null && isValid(best.value, at)) return best;
    const cached = await Promise.all(subjects.map((subject) => this.#cached(subject)));
    return bestAt([...stored, ...cached].flat(), at);
  }

  async #cached(subject: VcekSubject): Promise<readonly HeldVek[]> {
    const { chains } = await this.#snapshots.of({ product: subject.product, signingKey: 'vcek' });
    const cached = await this.#parts.cache.vcek(
      subject,
      chains.map(({ chain }) => chain),
    );
    return cached === null ? [] : [{ value: cached, origin: 'cache', ...fetchedOn(this.#parts.cache, cached) }];
  }

  /** A VLEK names no chip: of the VLEKs for line and TCB, the last issued one is used. */
  async #vlek({ products, reportedTcb }: SnpEndorsementRequest, context: FetchContext): Promise<HeldVek | Unavailable> {
    const fitting = await Promise.all(
      products.map((product) =>
        this.#stored({ product, signingKey: 'vlek' }, (vek) => isForTcb(vek, reportedTcb(product)), context),
      ),
    );
    const best = bestAt(fitting.flat(), context.at);
    if (best !== null) return best;
    const detail = 'no VLEK certificate for this product line and TCB: AMD issues it to the cloud provider only';
    return { code: 'vcek_unavailable', detail, retryable: false };
  }

  /** Matching certificates of the folder, except those that the line's chain did not sign. */
  async #stored(line: SnpLine, fits: (vek: AmdVek) => boolean, context: FetchContext): Promise<readonly HeldVek[]> {
    const fitting = this.#parts.directory.veks(line).filter(fits);
    if (fitting.length === 0) return [];
    // No chain is fetched here: without one the certificates are returned unverified, and the verifier checks them.
    const snapshot = await this.#snapshots.of(line);
    const [first] = snapshot.chains;
    if (first === undefined) return fitting.map((value) => ({ value, origin: 'store' }));
    const judged = fitting.map(async (value) => {
      const { chain } = await this.#chains.signerOf(snapshot, first, belowChain(value), context);
      return this.#isVouchedFor(value, chain) ? [{ value, origin: 'store' as const }] : [];
    });
    return (await Promise.all(judged)).flat();
  }

  #isVouchedFor(vek: AmdVek, chain: AmdChain): boolean {
    if (this.#vouchedFor.get(vek) === chain) return true;
    const isUnfit = attempt(() => verifyVek(vek, chain, this.#parts.pins)) instanceof Error;
    if (!isUnfit) this.#vouchedFor.set(vek, chain);
    return !isUnfit;
  }

  /** Fetches for each line in turn: a missing VCEK, or a failure, for one line does not exclude the next. */
  async #fetchFirst(subjects: readonly VcekSubject[], context: FetchContext): Promise<HeldVek | Unavailable> {
    const problems: Unavailable[] = [];
    for (const subject of subjects) {
      const fetched = await this.#fetch(subject, context);
      if (!('code' in fetched)) return fetched;
      problems.push(fetched);
    }
    const problem = problems.find(({ retryable }) => retryable) ?? problems.at(-1);
    // A report of version 2 does not name its product line: each line may have its own cause.
    const detail = problems.map((each) => each.detail).join('; ');
    return problem === undefined
      ? { code: 'vcek_unavailable', detail: 'no VCEK for this chip and TCB', retryable: false }
      : { ...problem, detail };
  }

  async #fetch(subject: VcekSubject, context: FetchContext): Promise<HeldVek | Unavailable> {
    const { kds } = this.#parts;
    const what = `no VCEK for this chip and TCB of ${subject.product}`;
    if (kds === null) return { code: 'vcek_unavailable', detail: what, retryable: false };
    try {
      const { signal, historical, principal } = context;
      const call = { signal, principal, remember: !historical };
      const der = await kds.vcek(subject.product, subject.chipId, subject.tcb, call);
      return await this.#take(subject, der, context);
    } catch (error) {
      return kdsProblem('vcek_unavailable', what, error);
    }
  }

  /**
   * Stores a VCEK once its signature is verified; without the line's chain it is returned, but not stored.
   * @throws {UnfitError} if it is for another chip or TCB, or not valid yet by the clock of the service
   */
  async #take(subject: VcekSubject, der: Uint8Array, context: FetchContext): Promise<HeldVek> {
    const vek = readVek(der, this.#parts.pins);
    if (!isVcekOf(vek, subject)) throw new UnfitError('it is for another chip or TCB');
    // A stored one would hide a better one until it becomes valid.
    const fetchedAt = this.#parts.clock.now();
    if (!hasBegun(vek, fetchedAt)) throw new UnfitError('it is not valid yet');
    const snapshot = await this.#snapshots.of({ product: subject.product, signingKey: 'vcek' });
    const found = await this.#chains.of(snapshot, belowChain(vek), context);
    if ('code' in found) return { value: vek, origin: 'network', fetchedAt };
    verifyVek(vek, found.chain, this.#parts.pins);
    if (!context.historical) {
      const isBelowRevoked = (await this.#revokedSigner(vek, context.at)) !== null;
      await this.#parts.cache.keepVcek(subject, vek, { replaces: !isBelowRevoked, fetchedAt });
    }
    return { value: vek, origin: 'network', fetchedAt };
  }
}

/** A VEK of a source, for the search of its chain. */
export function belowChain(vek: AmdVek): VekBelowChain {
  return { sha256: vek.sha256, namesIssuer: true, isIssuedBy: (chain) => hasSigned(chain, vek) };
}

/** Of several certificates the last issued one; those valid at the verification time come first. */
function bestAt(veks: readonly HeldVek[], at: Date): HeldVek | null {
  const byAge = veks.toSorted(({ value: a }, { value: b }) => issuedAt(b) - issuedAt(a));
  return byAge.find(({ value }) => isValid(value, at)) ?? byAge[0] ?? null;
}

const isValid = (vek: AmdVek, at: Date) => hasBegun(vek, at) && !hasEnded(vek, at);

/** Valid from notBefore on, itself included. A certificate without notBefore is never valid. */
const hasBegun = ({ certificate: { notBefore } }: AmdVek, at: Date) => notBefore !== null && notBefore <= at;

/** Valid up to and including notAfter (RFC 5280 4.1.2.5). A certificate without notAfter is never valid. */
const hasEnded = ({ certificate: { notAfter } }: AmdVek, at: Date) => notAfter === null || notAfter < at;

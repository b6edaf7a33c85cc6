import type { SnpProduct, SnpTcb } from '../../core/claims.js';
import type { CheckId } from '../../core/codes.js';
import type { SnpSigningKey, Unavailable } from '../../core/endorsement.js';
import { UnfitError } from '../../core/errors.js';
import type { Clock } from '../../core/ports.js';
import type { BoundedAnswer } from '../../outside/bounded-agent.js';
import type { Fetch, FetchRequest } from '../../outside/bounded-fetch.js';
import { FetchError, outOfTime, outOfTurn } from '../../outside/fetch-error.js';
import { PathsUnderWay } from '../../outside/paths-under-way.js';
import { KeptAttempts, SingleFlight } from '../../outside/shared-attempts.js';
import { NotFoundMemory, ThrottledFetch } from '../../outside/throttling.js';
import { readChainCertificates } from '../../tee/snp/amd/chain.js';
import { readCrl } from '../../tee/snp/amd/crls.js';
import type { AmdRootPins } from '../../tee/snp/amd/roots.js';
import { readVek } from '../../tee/snp/amd/vek.js';
import type { ServiceCall } from '../files/open-source.js';

interface AmdKdsOptions {
  /** `https://host[:port]`. */
  readonly origin: string;
  readonly pins: AmdRootPins;
  /** For VCEKs. */
  readonly chips: Fetch;
  /** For chains and CRLs. */
  readonly lines: Fetch;
  readonly clock: Clock;
  /** Least time for an answer, in milliseconds, before KDS counts as unreachable. */
  readonly fairMs?: number;
  /** Longest time for a chain or CRL, in milliseconds. */
  readonly lineMs?: number;
}

/** A kind of request: the limit of its answer, and the test whether the answer is usable. */
type Kind = Pick<FetchRequest, 'maximumBytes' | 'check' | 'mayBeRefused'>;

const CHAIN: Kind = { maximumBytes: 64 * 1024, check: ({ body }) => readChainCertificates(latin1Text(body)) };
const CRL: Kind = { maximumBytes: 1024 * 1024, check: ({ body }) => readCrl(body) };

/** A request for a VCEK. */
interface ChipCall extends ServiceCall {
  /** The principal, for fair turns; if absent, the service itself. */
  readonly principal?: string | undefined;
}

/** A request for a chain or CRL. */
interface LineCall<T> extends ServiceCall {
  /**
   * Verifies an answer of KDS and caches it, even if the request has ended.
   * @throws {FormatError | UnfitError} if the answer is unusable
   */
  readonly take: (body: Uint8Array) => T | Promise<T>;
}

/**
 * AMD's Key Distribution Service (AMD 57230, chapter 4). Returns answers unverified.
 *
 * One fetch per path at a time; a 404 is remembered for ten minutes; after a 429 no request is sent until the time
 * that it names, or ten seconds, have passed. VCEKs wait for their turn, which is fair by principal. All callers share a few chains and
 * CRLs: their fetches continue after the request has ended, so that no caller can make KDS seem unreachable by leaving.
 */
export class AmdKds {
  readonly #origin: string;
  readonly #vcekKind: Kind;
  readonly #chipFlights = new SingleFlight<BoundedAnswer>();
  readonly #lineFetches: KeptAttempts<BoundedAnswer>;
  /** Fetches of chains and CRLs, with verification and caching. */
  readonly #lineAttempts: KeptAttempts<unknown>;
  readonly #notFound: NotFoundMemory;
  /** KDS throttles requests for VCEKs only: a 429 in one lane does not delay the other. */
  readonly #chips: ThrottledFetch;
  readonly #lines: ThrottledFetch;
  readonly #linesUnderWay = new PathsUnderWay();
  readonly #fairMs: number;

  constructor(options: AmdKdsOptions) {
    const { origin, pins, chips, lines, clock, fairMs = 1_000, lineMs = 30_000 } = options;
    this.#origin = origin;
    this.#vcekKind = { maximumBytes: 16 * 1024, check: ({ body }) => readVek(body, pins), mayBeRefused: true };
    this.#fairMs = fairMs;
    this.#notFound = new NotFoundMemory(clock);
    this.#chips = new ThrottledFetch(chips, clock);
    this.#lines = new ThrottledFetch(this.#linesUnderWay.watched(lines), clock);
    this.#lineFetches = new KeptAttempts(lineMs);
    this.#lineAttempts = new KeptAttempts(lineMs);
  }

  /**
   * Fetches a VCEK, DER. There is no such call for a VLEK: KDS supplies it only to the cloud provider.
   */
  vcek(product: SnpProduct, chipId: Uint8Array, tcb: SnpTcb, call: ChipCall): Promise<Uint8Array> {
    const path = vcekPath(product, chipId, tcb);
    const owner = call.principal === undefined ? undefined : { principal: call.principal, key: path };
    if (owner !== undefined && this.#chipFlights.isUnderWay(path)) this.#chips.join(owner);
    const ask = (signal: AbortSignal) =>
      this.#chips.get({ origin: this.#origin, path, ...this.#vcekKind, signal }, owner);
    return this.#known(path, call, () => this.#chipFlights.run(path, call.signal, ask));
  }

  /**
   * Fetches a chain, PEM: ASK or ASVK, then ARK.
   * @throws {FetchError}
   * @throws {unknown} the error of `take`
   */
  chain<T>(product: SnpProduct, signingKey: SnpSigningKey, call: LineCall<T>): Promise<T> {
    return this.#ofLine(`/${signingKey}/v1/${product}/cert_chain`, CHAIN, call);
  }

  /**
   * Fetches the CRL of a line's ARK, DER.
   * @throws {FetchError}
   * @throws {unknown} the error of `take`
   */
  crl<T>(product: SnpProduct, signingKey: SnpSigningKey, call: LineCall<T>): Promise<T> {
    return this.#ofLine(`/${signingKey}/v1/${product}/crl`, CRL, call);
  }

  /** Aborts fetches, and waits until no answer is processed any more. */
  async close(): Promise<void> {
    await Promise.all([this.#chips.close(), this.#lines.close()]);
    await Promise.all([this.#lineFetches.close(), this.#lineAttempts.close()]);
  }

  async #ofLine<T>(path: string, kind: Kind, call: LineCall<T>): Promise<T> {
    const attempt = async (signal: AbortSignal) => call.take(await this.#line(path, kind, { ...call, signal }));
    // A historical request caches nothing.
    if (!call.remember) return attempt(call.signal);
    // An answer after all callers have left is cached too. Otherwise the next request would wait as long.
    return this.#lineAttempts.run(path, this.#waiter(path, call), attempt) as Promise<T>;
  }

  #line(path: string, kind: Kind, call: ServiceCall): Promise<Uint8Array> {
    const ask = (signal: AbortSignal) => this.#lines.get({ origin: this.#origin, path, ...kind, signal });
    return this.#known(path, call, () => this.#lineFetches.run(path, this.#waiter(path, call), ask));
  }

  async #known(path: string, { remember }: ServiceCall, ask: () => Promise<BoundedAnswer>): Promise<Uint8Array> {
    const { body } = await this.#notFound.ask(path, remember, ask);
    return body;
  }

  #waiter(path: string, { signal }: ServiceCall) {
    const begun = performance.now();
    return { signal, expired: () => this.#late(path, performance.now() - begun) };
  }

  /**
   * The error for a missing answer. KDS is only at fault if it had enough time: that of this caller, or twice as much since the
   * first.
   */
  #late(path: string, waitedMs: number): FetchError {
    const askedMs = this.#linesUnderWay.msOf(path);
    if (askedMs === null) return outOfTurn();
    if (Math.min(askedMs, waitedMs) >= this.#fairMs || askedMs >= 2 * this.#fairMs) return outOfTime();
    return new FetchError('no_time', 'no answer in the little time that was left');
  }
}

/** PEM as text. */
export const latin1Text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

function vcekPath(product: SnpProduct, chipId: Uint8Array, tcb: SnpTcb): string {
  const id = Buffer.from(chipId).toString('hex');
  const levels = [
    ...(tcb.fmc === undefined ? [] : [`fmcSPL=${spl(tcb.fmc)}`]),
    `blSPL=${spl(tcb.bootloader)}`,
    `teeSPL=${spl(tcb.tee)}`,
    `snpSPL=${spl(tcb.snp)}`,
    `ucodeSPL=${spl(tcb.microcode)}`,
  ];
  return `/vcek/v1/${product}/${id}?${levels.join('&')}`;
}

/** Decimal, with at least two digits. */
const spl = (level: number) => String(level).padStart(2, '0');

/** Why KDS supplied nothing usable. */
export interface KdsFailure {
  readonly problem: Unavailable;
  /**
   * Whether KDS is off, does not answer, or has nothing usable. False if it serves known old content, or if the request had no
   * room or too little time to contact it: callers can cause that.
   */
  readonly outOfReach: boolean;
}

/**
 * Like `kdsProblem`, with `outOfReach`: false if KDS was not contacted, or had no time to answer.
 * @throws {unknown} an error other than of the network or the received data
 */
export function kdsFailure(code: CheckId, what: string, error: unknown): KdsFailure {
  const outOfReach = !(error instanceof FetchError) || error.tellsOfOrigin;
  return { problem: kdsProblem(code, what, error), outOfReach };
}

/**
 * Returns why KDS supplied nothing usable. A 404 is permanent; other failures are retryable.
 * @throws {unknown} an error other than of the network or the received data
 */
export function kdsProblem(code: CheckId, what: string, error: unknown): Unavailable {
  if (error instanceof FetchError) {
    return { code, detail: `${what}: AMD KDS: ${error.message}`, retryable: !error.notFound };
  }
  if (error instanceof UnfitError) {
    return { code, detail: `${what}: the answer of AMD KDS cannot be used: ${error.message}`, retryable: true };
  }
  throw error;
}

import type { SnpProduct, SnpTcb } from '../../model/claims.js';
import type { CheckId } from '../../model/codes.js';
import type { SnpSigningKey, Unavailable } from '../../model/endorsement.js';
import { UnfitError } from '../../model/errors.js';
import type { Clock } from '../../model/ports.js';
import type { BoundedAnswer } from '../../outgoing/bounded-agent.js';
import type { Fetch, FetchRequest } from '../../outgoing/bounded-fetch.js';
import { underBound } from '../../outgoing/bounded-signal.js';
import { FetchError, outOfTime, outOfTurn } from '../../outgoing/fetch-error.js';
import { PathsUnderWay } from '../../outgoing/paths-under-way.js';
import { KeptAttempts, SingleFlight } from '../../outgoing/shared-attempts.js';
import { NotFoundMemory, ThrottledFetch } from '../../outgoing/throttling.js';
import { readChainCertificates } from '../../vendors/amd/chain.js';
import { readCrl } from '../../vendors/amd/crls.js';
import type { AmdRootPins } from '../../vendors/amd/roots.js';
import { readVek } from '../../vendors/amd/vek.js';
import type { ServiceCall } from '../files/open-source.js';
import type { EntrySubject } from '../replicas/sealed-entries.js';
import type { Obtained, SharedFetches } from '../replicas/shared-fetches.js';

interface AmdKdsOptions {
  /** `https://host[:port]`. */
  readonly origin: string;
  readonly pins: AmdRootPins;
  /** For VCEKs. */
  readonly chips: Fetch;
  /** For chains and CRLs. */
  readonly lines: Fetch;
  readonly clock: Clock;
  /** What replicas share; null or left out where they share nothing. */
  readonly shared?: SharedFetches | null | undefined;
  /** How long a VCEK waits for its turn, also when the request has ended. Where replicas share turns. */
  readonly vcekWaitMs?: number;
  /** Whether KDS answers is known once it was given this long, in milliseconds. */
  readonly fairMs?: number;
  /** Longest time in which a chain or CRL is fetched, in milliseconds. */
  readonly lineMs?: number;
}

interface SharedKds {
  readonly fetches: SharedFetches;
  /** VCEKs that wait for their turn, by path. */
  readonly wanted: KeptAttempts<unknown>;
  readonly chips: Fetch;
  readonly vcekWaitMs: number;
}

/** What is asked for: how much of it is read at most, and what tells it from what is of no use. */
type Kind = Pick<FetchRequest, 'maximumBytes' | 'check' | 'mayBeRefused'>;

const CHAIN: Kind = { maximumBytes: 64 * 1024, check: ({ body }) => readChainCertificates(textOf(body)) };
const CRL: Kind = { maximumBytes: 1024 * 1024, check: ({ body }) => readCrl(body) };

/** How a question is asked, and what becomes of the answer. */
export interface KdsCall<T> extends ServiceCall {
  /** Who asks, for turns that are fair; left out, the service itself. */
  readonly principal?: string | undefined;
  /** Of what replicas share, only what was fetched since counts; null or left out: all of it. */
  readonly since?: Date | null;
  /** Whether what replicas share counts in spite of that where KDS gives nothing. */
  readonly orOlder?: boolean;
  /**
   * Reads what was obtained, which is not verified, and puts it where it belongs.
   * @param signal ends what else has to be fetched for that
   * @throws {FormatError | UnfitError} where it is of no use
   */
  readonly take: (body: Uint8Array, from: Obtained, signal: AbortSignal) => T | Promise<T>;
  /** Whether what was taken is of use, to other replicas too; left out, it is. */
  readonly isOfUse?: ((taken: T) => boolean) | undefined;
  /** When what was taken ends; left out or null, it has no end. */
  readonly endOf?: (taken: T) => Date | null;
}

/** A VCEK has years; what AMD issued anew is found in time. */
const VCEK_LIFETIME_MS = 30 * 24 * 60 * 60_000;
/** Chains and CRLs are asked for again long before. */
const LINE_LIFETIME_MS = 400 * 24 * 60 * 60_000;

/** What a turn takes at most. One that comes at the last moment is used: AMD gives the next one much later. */
const TURN_MS = 20_000;

/** VCEKs that one principal has this replica wait for. */
const WANTED_AT_ONCE = 64;

/**
 * AMD's Key Distribution Service (AMD 57230, chapter 4). Gives what it answers, unverified.
 *
 * One fetch per path at a time; a 404 is remembered for ten minutes; after a 429 nothing more is asked until the time
 * that it names, or ten seconds, have passed. VCEKs wait for their turn, which is fair by principal. Chains and CRLs, of which there are
 * a few for all callers, are fetched to the end also when the request has ended: no caller can make KDS look out of reach by leaving.
 *
 * Where replicas share a store, all that is said of one process is so of all replicas together, but for requests about the past,
 * which share turns alone. A VCEK that waits for its turn is then fetched also when the request has ended.
 */
export class AmdKds {
  readonly #origin: string;
  readonly #clock: Clock;
  readonly #vcekKind: Kind;
  readonly #chipFlights = new SingleFlight<BoundedAnswer>();
  readonly #lineFetches: KeptAttempts<BoundedAnswer>;
  /** Chains and CRLs, from another replica or from KDS, and what is made of them. */
  readonly #lineAttempts: KeptAttempts<unknown>;
  readonly #notFound: NotFoundMemory;
  /** KDS throttles requests for VCEKs only: a 429 in one lane does not delay the other. */
  readonly #chips: ThrottledFetch;
  readonly #lines: ThrottledFetch;
  readonly #linesUnderWay = new PathsUnderWay();
  readonly #fairMs: number;
  readonly #replicas: SharedKds | null;

  constructor(options: AmdKdsOptions) {
    const { origin, pins, chips, lines, clock, shared } = options;
    const { vcekWaitMs = 60_000, fairMs = 1_000, lineMs = 30_000 } = options;
    this.#origin = origin;
    this.#clock = clock;
    this.#vcekKind = { maximumBytes: 16 * 1024, check: ({ body }) => readVek(body, pins), mayBeRefused: true };
    this.#fairMs = fairMs;
    this.#notFound = new NotFoundMemory(clock);
    this.#chips = new ThrottledFetch(chips, clock);
    this.#lines = new ThrottledFetch(this.#linesUnderWay.watched(lines), clock);
    const wanted = new KeptAttempts<unknown>({ limitMs: vcekWaitMs + TURN_MS, perPrincipal: WANTED_AT_ONCE });
    const kept = { limitMs: lineMs, perPrincipal: Number.POSITIVE_INFINITY };
    this.#lineFetches = new KeptAttempts(kept);
    this.#lineAttempts = new KeptAttempts(kept);
    this.#replicas = shared == null ? null : { fetches: shared, wanted, chips, vcekWaitMs };
  }

  /**
   * VCEK, DER. There is no such call for a VLEK: KDS gives it to the cloud provider only.
   * @throws {FetchError}
   * @throws {unknown} what `take` throws
   */
  vcek<T>(product: SnpProduct, chipId: Uint8Array, tcb: SnpTcb, call: KdsCall<T>): Promise<T> {
    const path = vcekPath(product, chipId, tcb);
    return this.#replicas === null ? this.#vcek(path, call) : this.#vcekInTurn(this.#replicas, path, call);
  }

  /**
   * PEM: ASK or ASVK, then ARK.
   * @throws {FetchError}
   * @throws {unknown} what `take` throws
   */
  chain<T>(product: SnpProduct, signingKey: SnpSigningKey, call: KdsCall<T>): Promise<T> {
    return this.#ofLine('chain', `/${signingKey}/v1/${product}/cert_chain`, CHAIN, call);
  }

  /**
   * CRL of a line's ARK, DER.
   * @throws {FetchError}
   * @throws {unknown} what `take` throws
   */
  crl<T>(product: SnpProduct, signingKey: SnpSigningKey, call: KdsCall<T>): Promise<T> {
    return this.#ofLine('crl', `/${signingKey}/v1/${product}/crl`, CRL, call);
  }

  /** Ends what is being fetched, and waits until nothing more is taken. */
  async close(): Promise<void> {
    await Promise.all([this.#chips.close(), this.#lines.close()]);
    await Promise.all([this.#lineFetches.close(), this.#lineAttempts.close(), this.#replicas?.wanted.close()]);
  }

  async #vcek<T>(path: string, call: KdsCall<T>): Promise<T> {
    const owner = call.principal === undefined ? undefined : { principal: call.principal, key: path };
    if (owner !== undefined && this.#chipFlights.isUnderWay(path)) this.#chips.join(owner);
    const get = (request: FetchRequest) => this.#chips.get(request, owner);
    return call.take(await this.#chip(get, path, call), this.#now(), call.signal);
  }

  /** The turn is that of all replicas; so is the pause that KDS asks for. */
  #vcekInTurn<T>({ fetches, wanted, chips, vcekWaitMs }: SharedKds, path: string, call: KdsCall<T>): Promise<T> {
    const { signal, principal = '' } = call;
    const attempt = (within: AbortSignal, principals: ReadonlySet<string>) =>
      underBound(within, vcekWaitMs, (waiting) =>
        fetches.get({
          ...this.#shared('vcek', path, this.#vcekKind, call),
          lifetimeMs: VCEK_LIFETIME_MS,
          signal: within,
          turn: { principals, patienceMs: vcekWaitMs, signal: waiting },
          fetch: (ending) => this.#chip((request) => chips.get(request), path, { ...call, signal: ending }),
          take: (body, from) => call.take(body, from, within),
        }),
      );
    // Of one path and kind of request all take the same.
    return wanted.run(keyOf(path, call), { signal, principal }, attempt) as Promise<T>;
  }

  async #ofLine<T>(kind: 'chain' | 'crl', path: string, limits: Kind, call: KdsCall<T>): Promise<T> {
    const get = (signal: AbortSignal) => this.#line(path, limits, { ...call, signal });
    const fromKds = async (within: AbortSignal) => call.take(await get(within), this.#now(), within);
    if (!call.remember) return fromKds(call.signal);
    const fetches = this.#replicas?.fetches;
    const fromReplicas = (within: AbortSignal, shared: SharedFetches) =>
      shared.get({
        ...this.#shared(kind, path, limits, call),
        lifetimeMs: LINE_LIFETIME_MS,
        signal: within,
        turn: null,
        fetch: get,
        take: (body, from) => call.take(body, from, within),
      });
    const attempt = (within: AbortSignal) => (fetches === undefined ? fromKds(within) : fromReplicas(within, fetches));
    // What comes when nobody waits any more is taken too: else the next request would wait as long.
    return this.#lineAttempts.run(keyOf(path, call), this.#waiter(path, call), attempt) as Promise<T>;
  }

  #shared<T>(kind: EntrySubject['kind'], path: string, { maximumBytes }: Kind, call: KdsCall<T>) {
    const { since = null, orOlder = false, remember: keeps, isOfUse = () => true, endOf } = call;
    const subject = { kind, origin: this.#origin, key: path };
    const encode = (body: Uint8Array) => body;
    const isAbsent = (error: FetchError) => error.notFound;
    return { subject, maximumBytes, since, orOlder, keeps, isOfUse, endOf, encode, decode: encode, isAbsent };
  }

  #chip(get: (request: FetchRequest) => Promise<BoundedAnswer>, path: string, call: ServiceCall): Promise<Uint8Array> {
    const ask = (signal: AbortSignal) => get({ origin: this.#origin, path, ...this.#vcekKind, signal });
    return this.#known(path, call, () => this.#chipFlights.run(path, call.signal, ask));
  }

  #line(path: string, kind: Kind, call: ServiceCall): Promise<Uint8Array> {
    const ask = (signal: AbortSignal) => this.#lines.get({ origin: this.#origin, path, ...kind, signal });
    return this.#known(path, call, () => this.#lineFetches.run(path, this.#waiter(path, call), ask));
  }

  async #known(path: string, { remember }: ServiceCall, ask: () => Promise<BoundedAnswer>): Promise<Uint8Array> {
    const { body } = await this.#notFound.ask(path, remember, ask);
    return body;
  }

  /** Of a chain or CRL: nobody has a line of its own. */
  #waiter(path: string, { signal }: ServiceCall) {
    const begun = performance.now();
    return { signal, principal: '', expired: () => this.#late(path, performance.now() - begun) };
  }

  /**
   * Why there was no answer in time. KDS is only to blame where it was given time for one: by whoever waited, or twice as much by those
   * before.
   */
  #late(path: string, waitedMs: number): FetchError {
    const askedMs = this.#linesUnderWay.msOf(path);
    if (askedMs === null) return outOfTurn();
    if (Math.min(askedMs, waitedMs) >= this.#fairMs || askedMs >= 2 * this.#fairMs) return outOfTime();
    return new FetchError('no_time', 'no answer in the little time that was left');
  }

  #now(): Obtained {
    return { origin: 'network', fetchedAt: this.#clock.now() };
  }
}

/** Requests about the past keep nothing; whoever wants something newer, or not just any, does not get what is good enough for others. */
function keyOf<T>(path: string, { remember, since = null, orOlder = false, isOfUse }: KdsCall<T>): string {
  const age = [since === null ? 'any' : 'newer', orOlder ? 'or older' : ''];
  return [path, remember ? 'now' : 'past', ...age, isOfUse === undefined ? '' : 'of use'].join(' ');
}

/** PEM as text. */
export const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

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

/** Why KDS gave nothing to rely on. */
export interface KdsFailure {
  readonly problem: Unavailable;
  /**
   * KDS is off, does not answer, or has nothing of use. False if it serves what is known to be old, or if the request had no
   * room or too little time to ask it: callers can bring that about.
   */
  readonly outOfReach: boolean;
}

/**
 * The same as `kdsProblem`, and whether KDS is out of reach: who was not asked, or had no time to answer, is not.
 * @throws {unknown} what is neither a fault of the network nor of what came over it
 */
export function kdsFailure(code: CheckId, what: string, error: unknown): KdsFailure {
  const outOfReach = !(error instanceof FetchError) || error.tellsOfOrigin;
  return { problem: kdsProblem(code, what, error), outOfReach };
}

/**
 * Why KDS gave nothing that can be used. A 404 is permanent; other failures are retryable.
 * @throws {unknown} what is neither a fault of the network nor of what came over it
 */
export function kdsProblem(code: CheckId, what: string, error: unknown): Unavailable {
  if (error instanceof FetchError) {
    return { code, detail: `${what}: AMD KDS ${error.message}`, retryable: !error.notFound };
  }
  if (error instanceof UnfitError) {
    return { code, detail: `${what}: the answer of AMD KDS cannot be used: ${error.message}`, retryable: true };
  }
  throw error;
}

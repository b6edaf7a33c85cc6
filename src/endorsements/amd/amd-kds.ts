import type { SnpProduct, SnpTcb } from '../../model/claims.js';
import type { CheckId } from '../../model/codes.js';
import type { SnpSigningKey, Unavailable } from '../../model/endorsement.js';
import { UnfitError } from '../../model/errors.js';
import type { Clock } from '../../model/ports.js';
import type { BoundedAnswer } from '../../outgoing/bounded-agent.js';
import type { Fetch, FetchRequest } from '../../outgoing/bounded-fetch.js';
import { FetchError } from '../../outgoing/fetch-error.js';
import { SingleFlight } from '../../outgoing/shared-attempts.js';
import { NotFoundMemory, ThrottledFetch } from '../../outgoing/throttling.js';
import { readChainCertificates } from '../../vendors/amd/chain.js';
import { readCrl } from '../../vendors/amd/crls.js';
import { hasShortChipId, readVek } from '../../vendors/amd/vek.js';
import type { ServiceCall } from '../files/open-source.js';

interface AmdKdsOptions {
  /** `https://host[:port]`. */
  readonly origin: string;
  /** For VCEKs. */
  readonly chips: Fetch;
  /** For chains and CRLs. */
  readonly lines: Fetch;
  readonly clock: Clock;
}

/** What is asked for: how much of it is read at most, and what tells it from what is of no use. */
type Kind = Pick<FetchRequest, 'maximumBytes' | 'check' | 'mayBeRefused'>;

const VCEK: Kind = { maximumBytes: 16 * 1024, check: ({ body }) => readVek(body), mayBeRefused: true };
const CHAIN: Kind = { maximumBytes: 64 * 1024, check: ({ body }) => readChainCertificates(textOf(body)) };
const CRL: Kind = { maximumBytes: 1024 * 1024, check: ({ body }) => readCrl(body) };

/**
 * AMD's Key Distribution Service (AMD 57230, chapter 4). Gives what it answers, unverified.
 *
 * One fetch per path at a time; a 404 is remembered for ten minutes; after a 429 nothing more is asked until the time
 * that it names, or ten seconds, have passed.
 */
export class AmdKds {
  readonly #origin: string;
  readonly #flights = new SingleFlight<BoundedAnswer>();
  readonly #notFound: NotFoundMemory;
  /** KDS throttles requests for VCEKs only: a 429 in one lane does not delay the other. */
  readonly #chips: Fetch;
  readonly #lines: Fetch;

  constructor({ origin, chips, lines, clock }: AmdKdsOptions) {
    this.#origin = origin;
    this.#notFound = new NotFoundMemory(clock);
    this.#chips = new ThrottledFetch(chips, clock);
    this.#lines = new ThrottledFetch(lines, clock);
  }

  /**
   * VCEK, DER. There is no such call for a VLEK: KDS gives it to the cloud provider only.
   * @throws {FetchError}
   */
  vcek(product: SnpProduct, chipId: Uint8Array, tcb: SnpTcb, call: ServiceCall): Promise<Uint8Array> {
    return this.#get(this.#chips, vcekPath(product, chipId, tcb), VCEK, call);
  }

  /**
   * PEM: ASK or ASVK, then ARK.
   * @throws {FetchError}
   */
  async chain(product: SnpProduct, signingKey: SnpSigningKey, call: ServiceCall): Promise<string> {
    const pem = await this.#get(this.#lines, `/${signingKey}/v1/${product}/cert_chain`, CHAIN, call);
    return textOf(pem);
  }

  /**
   * CRL of a line's ARK, DER.
   * @throws {FetchError}
   */
  crl(product: SnpProduct, signingKey: SnpSigningKey, call: ServiceCall): Promise<Uint8Array> {
    return this.#get(this.#lines, `/${signingKey}/v1/${product}/crl`, CRL, call);
  }

  /** Ends what is being fetched. */
  async close(): Promise<void> {
    await Promise.all([this.#chips.close(), this.#lines.close()]);
  }

  async #get(lane: Fetch, path: string, kind: Kind, call: ServiceCall): Promise<Uint8Array> {
    const origin = this.#origin;
    const { body } = await this.#notFound.ask(path, call.remember, () =>
      this.#flights.run(path, call.signal, (signal) => lane.get({ origin, path, ...kind, signal })),
    );
    return body;
  }
}

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

function vcekPath(product: SnpProduct, chipId: Uint8Array, tcb: SnpTcb): string {
  const id = Buffer.from(hasShortChipId(product) ? chipId.subarray(0, 8) : chipId).toString('hex');
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

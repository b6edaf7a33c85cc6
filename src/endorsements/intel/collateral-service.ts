import { FormatError } from '../../core/errors.js';
import type { TdxCollateral } from '../../core/evidence.js';
import type { Clock } from '../../core/ports.js';
import { decodeHex } from '../../formats/base64.js';
import { parsePemBlocks } from '../../formats/pem.js';
import { type BoundedAnswer, headerOf } from '../../outside/bounded-agent.js';
import type { Fetch } from '../../outside/bounded-fetch.js';
import { FetchError } from '../../outside/fetch-error.js';
import { NotFoundMemory, ThrottledFetch } from '../../outside/throttling.js';
import { cutSignedJson } from '../../tee/tdx/intel/collateral-json.js';
import type { CollateralKey } from '../../tee/tdx/intel/collateral-parts.js';
import type { SuppliedEvaluationNumbers } from '../../tee/tdx/intel/recovery-events.js';
import type { ServiceCall } from '../files/open-source.js';
import type { FetchedSourceName } from './collateral-cache.js';

interface CollateralServiceOptions {
  readonly name: FetchedSourceName;
  readonly url: string;
  readonly fetch: Fetch;
  readonly clock: Clock;
  /** Intel's update for TCB info and QE identity; defaults to `standard`. */
  readonly update?: CollateralUpdate;
}

/** Intel serves as early what becomes standard about a year later. */
type CollateralUpdate = 'standard' | 'early';

const JSON_TYPES: ReadonlySet<string> = new Set(['application/json', 'application/octet-stream', 'text/plain']);

/** A PCCS serves its CRLs under a default text type. */
const LIST_TYPES: ReadonlySet<string> = new Set([
  'application/pkix-crl',
  'application/x-pkcs7-crl',
  'application/octet-stream',
  'application/x-pem-file',
  'application/x-x509-ca-cert',
  'binary/octet-stream',
  'text/plain',
  'text/html',
]);

const DOCUMENT = { maximumBytes: 256 * 1024, mediaTypes: JSON_TYPES } as const;
const LIST = { maximumBytes: 1024 * 1024, mediaTypes: LIST_TYPES } as const;

/** A requested object, and its parser. */
interface Kind<T> {
  readonly maximumBytes: number;
  readonly mediaTypes: ReadonlySet<string>;
  readonly mayBeRefused?: boolean;
  /** @throws {FormatError} */
  readonly read: (answer: BoundedAnswer) => T;
}

/**
 * A service with the interface of Intel's (PCS v4): Intel's own, a PCCS, or Azure's cache. Returns its answers
 * unverified.
 *
 * The TCB info is requested first: the FMSPC comes from unverified evidence, and for an unknown one nothing else is
 * requested. An unknown FMSPC is remembered for ten minutes; after a 429 no request is sent for a while.
 */
export class CollateralService {
  readonly name: FetchedSourceName;
  readonly #place: CollateralPlace;
  /** Unknown FMSPCs. */
  readonly #notFound: NotFoundMemory;
  /** Requests for TCB info, one for each FMSPC, do not delay the others. */
  readonly #platforms: Fetch;
  readonly #common: Fetch;

  constructor({ name, url, fetch, clock, update }: CollateralServiceOptions) {
    this.name = name;
    this.#place = collateralPlaceOf(url, name, update);
    this.#notFound = new NotFoundMemory(clock);
    this.#platforms = new ThrottledFetch(fetch, clock);
    this.#common = new ThrottledFetch(fetch, clock);
  }

  /**
   * @throws {FetchError} if nothing was received, or not the requested object
   * @throws {FormatError} if the received data is unusable
   */
  async collateral({ fmspc, ca }: CollateralKey, { signal, remember }: ServiceCall): Promise<TdxCollateral> {
    const place = this.#place;
    const asked = { ...DOCUMENT, read: readTcbInfo, mayBeRefused: true };
    const tcbInfo = await this.#notFound.ask(fmspc, remember, () =>
      this.#ask(this.#platforms, place.tcbInfo(fmspc), asked, signal),
    );
    const [qeIdentity, pckCrl, rootCaCrl] = await Promise.all([
      this.#ask(this.#common, place.qeIdentity, { ...DOCUMENT, read: readQeIdentity }, signal),
      this.#ask(this.#common, place.pckCrl(ca), { ...LIST, read: readPckCrl }, signal),
      this.#rootCaCrl(signal),
    ]);
    return { ...tcbInfo, ...qeIdentity, ...pckCrl, rootCaCrl };
  }

  /**
   * Fetches Intel's list of TCB evaluation data numbers, which a PCCS may lack.
   * @throws {FetchError} if nothing was received, or not the requested object
   * @throws {FormatError} if the received data is unusable
   */
  evaluationNumbers(signal: AbortSignal): Promise<SuppliedEvaluationNumbers> {
    const asked = { ...DOCUMENT, read: readEvaluationNumbers, mayBeRefused: true };
    return this.#ask(this.#common, this.#place.evaluationNumbers, asked, signal);
  }

  /** Aborts fetches. */
  async close(): Promise<void> {
    // Both lanes share one fetch.
    await this.#common.close();
  }

  /** Tries the next address after a 404. */
  async #rootCaCrl(signal: AbortSignal): Promise<Uint8Array> {
    const [first, next] = this.#place.rootCaCrl;
    const read = ({ body }: BoundedAnswer) => crlBytes(body);
    const get = (place: Place, mayBeRefused: boolean) =>
      this.#ask(this.#common, place, { ...LIST, read, mayBeRefused }, signal);
    try {
      return await get(first, next !== undefined);
    } catch (error) {
      if (next === undefined || !(error instanceof FetchError && error.notFound)) throw error;
      return get(next, false);
    }
  }

  async #ask<T>(lane: Fetch, place: Place, { read, ...kind }: Kind<T>, signal: AbortSignal): Promise<T> {
    const request = { ...place, ...kind, check: read, signal };
    return read(await lane.get(request));
  }
}

function readTcbInfo(answer: BoundedAnswer) {
  const { text: tcbInfo, signature: tcbInfoSignature } = cutSignedJson(answer.body, 'tcbInfo');
  const tcbInfoIssuerChain = chainOf(answer, ['tcb-info-issuer-chain', 'sgx-tcb-info-issuer-chain']);
  return { tcbInfo, tcbInfoSignature, tcbInfoIssuerChain };
}

function readQeIdentity(answer: BoundedAnswer) {
  const { text: qeIdentity, signature: qeIdentitySignature } = cutSignedJson(answer.body, 'enclaveIdentity');
  const qeIdentityIssuerChain = chainOf(answer, ['sgx-enclave-identity-issuer-chain']);
  return { qeIdentity, qeIdentitySignature, qeIdentityIssuerChain };
}

function readEvaluationNumbers(answer: BoundedAnswer): SuppliedEvaluationNumbers {
  const signed = cutSignedJson(answer.body, 'tcbEvaluationDataNumbers');
  return { ...signed, issuerChain: chainOf(answer, ['tcb-evaluation-data-numbers-issuer-chain']) };
}

function readPckCrl(answer: BoundedAnswer) {
  return { pckCrl: crlBytes(answer.body), pckCrlIssuerChain: chainOf(answer, ['sgx-pck-crl-issuer-chain']) };
}

/** Reads an issuer chain from the first of these headers that is present: PEM, URL-encoded. */
function chainOf({ headers }: BoundedAnswer, names: readonly string[]): string {
  const encoded = names.map((name) => headerOf(headers, name)).find((value) => value !== undefined);
  if (encoded === undefined) throw new FormatError('cert_chain', 'answer has no issuer chain');
  try {
    return decodeURIComponent(encoded);
  } catch (cause) {
    throw new FormatError('cert_chain', 'issuer chain is not URL-encoded', { cause });
  }
}

const DER_SEQUENCE = 0x30;

/** Decodes a CRL of a service: DER, PEM, or hex of the DER, whose first byte differs from that of DER. */
function crlBytes(body: Uint8Array): Uint8Array {
  if (body[0] === DER_SEQUENCE) return body;
  const text = Buffer.from(body).toString('latin1');
  if (!text.startsWith('-----BEGIN')) return decodeHex(text.trim());
  const [block, ...more] = parsePemBlocks(text);
  if (block?.label !== 'X509 CRL' || more.length > 0) throw new FormatError('cert_format', 'PEM is not a CRL');
  return block.der;
}

/** One address of a service. */
export interface Place {
  readonly origin: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The addresses of a service by object. */
export interface CollateralPlace {
  /** @param fmspc lower-case hex */
  tcbInfo(fmspc: string): Place;
  readonly qeIdentity: Place;
  readonly evaluationNumbers: Place;
  pckCrl(ca: CollateralKey['ca']): Place;
  /** Tried one after the other. */
  readonly rootCaCrl: readonly [Place, Place?];
}

/** Intel's own service has the root CA CRL under another origin, which the root certificate names. */
const INTEL_ORIGIN = 'https://api.trustedservices.intel.com';
const INTEL_CERTIFICATES = 'https://certificates.trustedservices.intel.com';
const ROOT_LIST = '/IntelSGXRootCA.der';

/** Path of a service's URL: the prefix of the API, and the version, which defaults to 4. */
const BASE = /^(.*?)(?:\/(?:sgx|tdx)\/certification\/(v[34]))?\/*$/;

/**
 * Returns the addresses of a service. TCB info and QE identity are always fetched with the same update: without `update` or a number,
 * the standard one.
 *
 * @param url origin, with or without the path of the API (`/sgx/certification/v4/`), as other clients use it
 */
export function collateralPlaceOf(
  url: string,
  name: FetchedSourceName,
  update: CollateralUpdate = 'standard',
): CollateralPlace {
  const { origin, pathname } = new URL(url);
  const [, base = '', version = 'v4'] = BASE.exec(pathname) ?? [];
  // Azure's metadata service requires this header, so that a web page cannot make a browser send the request.
  const headers: Record<string, string> = name === 'thim' ? { metadata: 'true' } : {};
  const at = (path: string): Place => ({ origin, path: `${base}${path}`, headers });
  const sgx = `/sgx/certification/${version}`;
  const tdx = `/tdx/certification/${version}`;
  const isEarly = update === 'early';
  return {
    tcbInfo: (fmspc) => at(`${tdx}/tcb?fmspc=${fmspc}${isEarly ? '&update=early' : ''}`),
    qeIdentity: at(`${tdx}/qe/identity${isEarly ? '?update=early' : ''}`),
    evaluationNumbers: at(`${tdx}/tcbevaluationdatanumbers`),
    pckCrl: (ca) => at(`${sgx}/pckcrl?ca=${ca}&encoding=der`),
    rootCaCrl:
      origin === INTEL_ORIGIN
        ? [{ origin: INTEL_CERTIFICATES, path: ROOT_LIST, headers: {} }]
        : [at(`${sgx}/rootcacrl`), at(ROOT_LIST)],
  };
}

/** All origins of a service. */
export function originsOf(url: string): readonly string[] {
  const { origin } = new URL(url);
  return origin === INTEL_ORIGIN ? [origin, INTEL_CERTIFICATES] : [origin];
}

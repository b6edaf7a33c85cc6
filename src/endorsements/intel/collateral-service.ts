import { decodeHex } from '../../formats/base64.js';
import { parsePemBlocks } from '../../formats/pem.js';
import { FormatError } from '../../model/errors.js';
import type { TdxCollateral } from '../../model/evidence.js';
import type { Clock } from '../../model/ports.js';
import { type BoundedAnswer, headerOf } from '../../outgoing/bounded-agent.js';
import type { Fetch } from '../../outgoing/bounded-fetch.js';
import { FetchError } from '../../outgoing/fetch-error.js';
import { NotFoundMemory, ThrottledLane } from '../../outgoing/throttling.js';
import { cutSignedJson } from '../../vendors/intel/signed-json.js';
import type { FetchedSourceName } from './collateral-cache.js';
import { type CollateralPlace, type Place, placeOf } from './collateral-place.js';
import type { CollateralKey } from './intel-collateral.js';

interface CollateralServiceOptions {
  readonly name: FetchedSourceName;
  readonly url: string;
  readonly fetch: Fetch;
  readonly clock: Clock;
}

/** How one question to the service is asked. */
interface ServiceCall {
  readonly signal: AbortSignal;
  /** Whether a 404 may be remembered. Not for historical requests. */
  readonly remember: boolean;
}

const JSON_TYPES: ReadonlySet<string> = new Set(['application/json', 'application/octet-stream', 'text/plain']);

/** A PCCS serves its lists as text of a type that it does not choose. */
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

/** What is asked for, and how it is read. */
interface Kind<T> {
  readonly maximumBytes: number;
  readonly mediaTypes: ReadonlySet<string>;
  readonly mayBeRefused?: boolean;
  /** @throws {FormatError} */
  readonly read: (answer: BoundedAnswer) => T;
}

/**
 * A service that serves collateral as Intel's does (PCS v4): Intel's own, a PCCS, or Azure's cache. Returns its answers
 * unverified.
 *
 * The TCB info is requested first: the FMSPC comes from unverified evidence, and for an unknown one nothing else is
 * requested. An unknown FMSPC is remembered for ten minutes; after a 429 no request is sent for a while.
 */
export class CollateralService {
  readonly name: FetchedSourceName;
  readonly #fetch: Fetch;
  readonly #place: CollateralPlace;
  /** Of FMSPCs. */
  readonly #notFound: NotFoundMemory;
  /** Requests for TCB info, one for each FMSPC, do not delay the others. */
  readonly #platforms: ThrottledLane;
  readonly #common: ThrottledLane;

  constructor({ name, url, fetch, clock }: CollateralServiceOptions) {
    this.name = name;
    this.#fetch = fetch;
    this.#place = placeOf(url, name);
    this.#notFound = new NotFoundMemory(clock);
    this.#platforms = new ThrottledLane(clock);
    this.#common = new ThrottledLane(clock);
  }

  /**
   * @throws {FetchError} nothing came, or not what was asked for
   * @throws {FormatError} what came is of no use
   */
  async collateral({ fmspc, ca }: CollateralKey, call: ServiceCall): Promise<TdxCollateral> {
    const tcbInfo = await this.#tcbInfo(fmspc, call);
    const [qeIdentity, pckCrl, rootCaCrl] = await Promise.all([
      this.#qeIdentity(call.signal),
      this.#pckCrl(ca, call.signal),
      this.#rootCaCrl(call.signal),
    ]);
    return { ...tcbInfo, ...qeIdentity, ...pckCrl, rootCaCrl };
  }

  /** Ends what is being fetched. */
  async close(): Promise<void> {
    await this.#fetch.close();
  }

  async #tcbInfo(fmspc: string, { signal, remember }: ServiceCall) {
    return this.#notFound.ask(fmspc, remember, async () => {
      const place = this.#place.tcbInfo(fmspc);
      return this.#ask(this.#platforms, place, { ...DOCUMENT, read: readTcbInfo, mayBeRefused: true }, signal);
    });
  }

  #qeIdentity(signal: AbortSignal) {
    return this.#ask(this.#common, this.#place.qeIdentity, { ...DOCUMENT, read: readQeIdentity }, signal);
  }

  #pckCrl(ca: CollateralKey['ca'], signal: AbortSignal) {
    return this.#ask(this.#common, this.#place.pckCrl(ca), { ...LIST, read: readPckCrl }, signal);
  }

  /** Tries the next address where one answers 404. */
  async #rootCaCrl(signal: AbortSignal): Promise<Uint8Array> {
    const [first, next] = this.#place.rootCaCrl;
    const read = ({ body }: BoundedAnswer) => listOf(body);
    const get = (place: Place, mayBeRefused: boolean) =>
      this.#ask(this.#common, place, { ...LIST, read, mayBeRefused }, signal);
    try {
      return await get(first, next !== undefined);
    } catch (error) {
      if (next === undefined || !(error instanceof FetchError && error.notFound)) throw error;
      return get(next, false);
    }
  }

  async #ask<T>(lane: ThrottledLane, place: Place, { read, ...kind }: Kind<T>, signal: AbortSignal): Promise<T> {
    const request = { ...place, ...kind, check: read, signal };
    return read(await lane.ask(signal, () => this.#fetch.get(request)));
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

function readPckCrl(answer: BoundedAnswer) {
  return { pckCrl: listOf(answer.body), pckCrlIssuerChain: chainOf(answer, ['sgx-pck-crl-issuer-chain']) };
}

/** An issuer chain out of the first of these headers that there is: PEM, URL-encoded. */
function chainOf({ headers }: BoundedAnswer, names: readonly string[]): string {
  const encoded = names.map((name) => headerOf(headers, name)).find((value) => value !== undefined);
  if (encoded === undefined) throw new FormatError('cert_chain', 'answer names no issuer chain');
  try {
    return decodeURIComponent(encoded);
  } catch (cause) {
    throw new FormatError('cert_chain', 'issuer chain is not URL-encoded', { cause });
  }
}

const DER_SEQUENCE = 0x30;

/** A revocation list as services give it: DER, PEM, or hex of the DER, which cannot begin with the octet of DER. */
function listOf(body: Uint8Array): Uint8Array {
  if (body[0] === DER_SEQUENCE) return body;
  const text = Buffer.from(body).toString('latin1');
  if (!text.startsWith('-----BEGIN')) return decodeHex(text.trim());
  const [block, ...more] = parsePemBlocks(text);
  if (block?.label !== 'X509 CRL' || more.length > 0) throw new FormatError('cert_format', 'pem is no revocation list');
  return block.der;
}

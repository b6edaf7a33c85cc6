import { decodeHex } from '../../formats/base64.js';
import { parsePemBlocks } from '../../formats/pem.js';
import { cutSignedJson } from '../../formats/signed-json.js';
import { FormatError } from '../../model/errors.js';
import type { TdxCollateral } from '../../model/evidence.js';
import type { Clock } from '../../model/ports.js';
import type { BoundedAnswer, FetchAnswer } from '../bounded-fetch.js';
import { FetchError } from '../fetch-error.js';
import { NotFoundMemory } from '../not-found-memory.js';
import { ThrottledLane } from '../throttled-lane.js';
import type { FetchedSourceName } from './collateral-cache.js';
import { type CollateralPlace, type Place, placeOf } from './collateral-place.js';
import type { CollateralKey } from './intel-collateral.js';

interface CollateralServiceOptions {
  readonly name: FetchedSourceName;
  readonly url: string;
  readonly fetch: FetchAnswer;
  readonly clock: Clock;
}

/** How one question to the service is asked. */
interface ServiceCall {
  readonly signal: AbortSignal;
  /** Whether a 404 may be remembered. Not for historical requests. */
  readonly remember: boolean;
}

const DOCUMENT_BYTES = 256 * 1024;
const LIST_BYTES = 1024 * 1024;

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

/**
 * A service that serves collateral as Intel's does (PCS v4): Intel's own, a PCCS, or Azure's cache. Returns its answers
 * unverified.
 *
 * The TCB info is requested first: the FMSPC comes from unverified evidence, and for an unknown one nothing else is
 * requested. An unknown FMSPC is remembered for ten minutes; after a 429 no request is sent for a while.
 */
export class CollateralService {
  readonly name: FetchedSourceName;
  readonly #fetch: FetchAnswer;
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
      const answer = await this.#ask(this.#platforms, place, DOCUMENT_BYTES, JSON_TYPES, signal);
      const { text: tcbInfo, signature: tcbInfoSignature } = cutSignedJson(answer.body, 'tcbInfo');
      const tcbInfoIssuerChain = chainOf(answer, ['tcb-info-issuer-chain', 'sgx-tcb-info-issuer-chain']);
      return { tcbInfo, tcbInfoSignature, tcbInfoIssuerChain };
    });
  }

  async #qeIdentity(signal: AbortSignal) {
    const answer = await this.#ask(this.#common, this.#place.qeIdentity, DOCUMENT_BYTES, JSON_TYPES, signal);
    const { text: qeIdentity, signature: qeIdentitySignature } = cutSignedJson(answer.body, 'enclaveIdentity');
    const qeIdentityIssuerChain = chainOf(answer, ['sgx-enclave-identity-issuer-chain']);
    return { qeIdentity, qeIdentitySignature, qeIdentityIssuerChain };
  }

  async #pckCrl(ca: CollateralKey['ca'], signal: AbortSignal) {
    const answer = await this.#ask(this.#common, this.#place.pckCrl(ca), LIST_BYTES, LIST_TYPES, signal);
    return { pckCrl: listOf(answer.body), pckCrlIssuerChain: chainOf(answer, ['sgx-pck-crl-issuer-chain']) };
  }

  /** Tries the next address where one answers 404. */
  async #rootCaCrl(signal: AbortSignal): Promise<Uint8Array> {
    const [first, next] = this.#place.rootCaCrl;
    const get = async (place: Place) =>
      listOf((await this.#ask(this.#common, place, LIST_BYTES, LIST_TYPES, signal)).body);
    try {
      return await get(first);
    } catch (error) {
      if (next === undefined || !(error instanceof FetchError && error.notFound)) throw error;
      return get(next);
    }
  }

  #ask(
    lane: ThrottledLane,
    place: Place,
    maximumBytes: number,
    mediaTypes: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<BoundedAnswer> {
    return lane.ask(signal, () => this.#fetch.answer({ ...place, maximumBytes, mediaTypes, signal }));
  }
}

/** An issuer chain out of the first of these headers that there is: PEM, URL-encoded. */
function chainOf({ header }: BoundedAnswer, names: readonly string[]): string {
  const encoded = names.map(header).find((value) => value !== undefined);
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

import type { TdxCollateral } from '../../src/core/evidence.js';
import type { CollateralOptions } from './collateral-builder.js';
import {
  buildEvaluationNumbers,
  type EvaluationNumbersMaking,
  type ListedRecovery,
  RECOVERIES,
} from './evaluation-numbers-builder.js';
import type { IntelPki } from './intel-pki.js';
import { type LabAnswer, type LabRequest, LabServer, type LabServerOptions } from './lab-server.js';
import type { PckCaKind } from './sgx-extension-builder.js';
import { EVALUATION_NUMBER } from './tcb-info-builder.js';
import type { TdxPlatform } from './tdx-platform.js';

export interface LabPcsOptions extends LabServerOptions {
  /** `pccs`: a cache of an operator, which serves the root's list too, and lists in hex. */
  readonly kind?: 'pcs' | 'pccs';
  /** `http` as the metadata service of Azure speaks it. */
  readonly scheme?: 'https' | 'http';
}

/** The two streams of TCB recoveries. */
export type PcsUpdate = 'standard' | 'early';

/** A signed document with the chain of its signer, PEM. */
export interface ServedDocument {
  readonly text: string;
  readonly signature: Uint8Array;
  readonly issuerChain: string;
}

/** Under what a document is found. */
export interface ServedAs {
  readonly update?: PcsUpdate;
  readonly evaluationNumber?: number;
}

const NOT_FOUND: LabAnswer = { status: 404, contentType: 'text/plain', body: 'no such data' };
const BAD_REQUEST: LabAnswer = { status: 400, contentType: 'text/plain', body: 'invalid request parameters' };
const GONE: LabAnswer = { status: 410, contentType: 'text/plain', body: 'no longer available' };
const API_PATH = /^(.*?)\/(sgx|tdx)\/certification\/v([34])\/(.+)$/;

/**
 * Intel's Provisioning Certification Service, or a cache of it, on loopback: serves what it is given. Versions 3 and 4
 * of the interface, under any prefix; below `/metadata` only to those who send `Metadata: true`.
 */
export class LabPcs extends LabServer {
  readonly #kind: 'pcs' | 'pccs';
  /** Documents by name, and within by stream or number. */
  readonly #documents = new Map<string, Map<string, ServedDocument>>();
  readonly #pckCrls = new Map<string, { readonly der: Uint8Array; readonly issuerChain: string }>();
  #rootCrl: Uint8Array | null = null;
  #pki: IntelPki | null = null;
  #listMaking: EvaluationNumbersMaking = {};
  #changes: { readonly on: RegExp; readonly change: (genuine: LabAnswer) => LabAnswer }[] = [];

  private constructor({ kind = 'pcs', scheme = 'https', ...options }: LabPcsOptions) {
    super(options, scheme);
    this.#kind = kind;
  }

  static async start(options: LabPcsOptions = {}): Promise<LabPcs> {
    const pcs = new LabPcs(options);
    await pcs.listen();
    return pcs;
  }

  /** Where the root's CRL is, as in Intel's root certificate. */
  get rootCrlUri(): string {
    return `${this.origin}/IntelSGXRootCA.der`;
  }

  /** Serves the collateral of a platform. A later call takes the place of an earlier one of the same stream. */
  serve(platform: TdxPlatform, options: CollateralOptions & { readonly update?: PcsUpdate } = {}): TdxCollateral {
    const { update = 'standard', evaluationNumber = EVALUATION_NUMBER, tcbInfo, qeIdentity } = options;
    const collateral = platform.collateral({ at: this.clock(), ...options });
    this.#pki = platform.pki;
    this.serveTcbInfo(
      platform.fmspc,
      { text: collateral.tcbInfo, signature: collateral.tcbInfoSignature, issuerChain: collateral.tcbInfoIssuerChain },
      { update, evaluationNumber: tcbInfo?.evaluationNumber ?? evaluationNumber },
    );
    this.serveQeIdentity(
      {
        text: collateral.qeIdentity,
        signature: collateral.qeIdentitySignature,
        issuerChain: collateral.qeIdentityIssuerChain,
      },
      { update, evaluationNumber: qeIdentity?.evaluationNumber ?? evaluationNumber },
    );
    this.servePckCrl(options.pckCrl?.ca ?? platform.ca, collateral.pckCrl, collateral.pckCrlIssuerChain);
    this.serveRootCrl(collateral.rootCaCrl);
    return collateral;
  }

  serveTcbInfo(fmspc: string, document: ServedDocument, as: ServedAs = {}): void {
    this.#serveDocument(tcbInfoName(fmspc), document, as);
  }

  serveQeIdentity(document: ServedDocument, as: ServedAs = {}): void {
    this.#serveDocument('qe/identity', document, as);
  }

  servePckCrl(ca: PckCaKind, der: Uint8Array, issuerChain: string): void {
    this.#pckCrls.set(ca, { der, issuerChain });
  }

  /** Makes the list of TCB evaluation data numbers so. Left out, it is of the numbers that are served. */
  listNumbers(making: EvaluationNumbersMaking): void {
    this.#listMaking = making;
  }

  serveRootCrl(der: Uint8Array): void {
    this.#rootCrl = der;
  }

  /** Changes answers to requests whose path fits, from now on. The newest rule that fits counts. */
  alter(on: RegExp, change: (genuine: LabAnswer) => LabAnswer): void {
    this.#changes = [{ on, change }, ...this.#changes];
  }

  override async heal(): Promise<void> {
    this.#changes = [];
    await super.heal();
  }

  protected override respond(request: LabRequest): LabAnswer {
    const genuine = this.#genuine(request);
    return this.#changes.find(({ on }) => on.test(request.url))?.change(genuine) ?? genuine;
  }

  #genuine({ method, url, headers }: LabRequest): LabAnswer {
    const { pathname, searchParams } = new URL(url, this.origin);
    if (method !== 'GET') return NOT_FOUND;
    if (pathname === '/IntelSGXRootCA.der') return this.#crlAnswer(this.#rootCrl, 'der', {});
    const [, prefix = '', tee, version, what] = API_PATH.exec(pathname) ?? [];
    if (prefix.startsWith('/metadata') && headers['metadata'] !== 'true') return BAD_REQUEST;
    switch (`${tee} ${what}`) {
      case 'tdx tcb':
        return this.#tcbInfo(searchParams, version === '3' ? 'SGX-TCB-Info-Issuer-Chain' : 'TCB-Info-Issuer-Chain');
      case 'tdx qe/identity':
        return this.#document('qe/identity', 'enclaveIdentity', 'SGX-Enclave-Identity-Issuer-Chain', searchParams);
      case 'tdx tcbevaluationdatanumbers':
        return this.#evaluationNumbers();
      case 'sgx pckcrl':
        return this.#pckCrl(searchParams);
      case 'sgx rootcacrl':
        return this.#kind === 'pccs' ? this.#crlAnswer(this.#rootCrl, null, {}) : NOT_FOUND;
      default:
        return NOT_FOUND;
    }
  }

  #tcbInfo(query: URLSearchParams, chainHeader: string): LabAnswer {
    const fmspc = query.get('fmspc') ?? '';
    if (!/^[0-9a-f]{12}$/i.test(fmspc)) return BAD_REQUEST;
    return this.#document(tcbInfoName(fmspc), 'tcbInfo', chainHeader, query);
  }

  #document(name: string, member: string, chainHeader: string, query: URLSearchParams): LabAnswer {
    const [update, number] = [query.get('update'), query.get('tcbEvaluationDataNumber')];
    const isKnownUpdate = update === null || update === 'standard' || update === 'early';
    if (!isKnownUpdate || (update !== null && number !== null)) return BAD_REQUEST;
    const served = this.#documents.get(name);
    if (served === undefined) return NOT_FOUND;
    const document = served.get(number ?? update ?? 'standard');
    if (document === undefined) return number !== null && isOlder(Number(number), served) ? GONE : NOT_FOUND;
    const signature = Buffer.from(document.signature).toString('hex');
    return {
      contentType: 'application/json',
      headers: chainHeaderOf(chainHeader, document.issuerChain),
      body: `{"${member}":${document.text},"signature":"${signature}"}`,
    };
  }

  #pckCrl(query: URLSearchParams): LabAnswer {
    const [ca, encoding] = [query.get('ca'), query.get('encoding')];
    if (ca !== 'platform' && ca !== 'processor') return BAD_REQUEST;
    const { der = null, issuerChain = '' } = this.#pckCrls.get(ca) ?? {};
    return this.#crlAnswer(der, encoding, chainHeaderOf('SGX-PCK-CRL-Issuer-Chain', issuerChain));
  }

  /** DER if requested; else PEM from Intel, hex from a cache. */
  #crlAnswer(der: Uint8Array | null, encoding: string | null, headers: { [name: string]: string }): LabAnswer {
    if (der === null) return NOT_FOUND;
    if (encoding === 'der') return { contentType: 'application/pkix-crl', headers, body: der };
    const bytes = Buffer.from(der);
    if (this.#kind === 'pccs') return { contentType: 'application/pkix-crl', headers, body: bytes.toString('hex') };
    const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
    const body = ['-----BEGIN X509 CRL-----', ...lines, '-----END X509 CRL-----', ''].join('\n');
    return { contentType: 'application/x-pem-file', headers, body };
  }

  #evaluationNumbers(): LabAnswer {
    const pki = this.#pki;
    if (pki === null) return NOT_FOUND;
    const { text, signature, issuerChain } = buildEvaluationNumbers(pki, this.clock(), {
      recoveries: this.#servedNumbers(),
      ...this.#listMaking,
    });
    return {
      contentType: 'application/json',
      headers: chainHeaderOf('TCB-Evaluation-Data-Numbers-Issuer-Chain', issuerChain),
      body: `{"tcbEvaluationDataNumbers":${text},"signature":"${Buffer.from(signature).toString('hex')}"}`,
    };
  }

  /** The numbers of all documents, the newest first, with Intel's dates if Intel has the number. */
  #servedNumbers(): readonly ListedRecovery[] {
    const numbers = new Set([...this.#documents.values()].flatMap(numbersOf));
    return [...numbers]
      .toSorted((a, b) => b - a)
      .map((number) => RECOVERIES.find((recovery) => recovery.number === number) ?? { number });
  }

  #serveDocument(name: string, document: ServedDocument, { update = 'standard', evaluationNumber }: ServedAs): void {
    const served = this.#documents.get(name) ?? new Map<string, ServedDocument>();
    served.set(update, document);
    if (evaluationNumber !== undefined) served.set(String(evaluationNumber), document);
    this.#documents.set(name, served);
  }
}

function tcbInfoName(fmspc: string): string {
  return `tcb ${fmspc.toLowerCase()}`;
}

function chainHeaderOf(name: string, issuerChain: string): { [name: string]: string } {
  return { [name]: encodeURIComponent(issuerChain) };
}

function numbersOf(served: ReadonlyMap<string, ServedDocument>): readonly number[] {
  return [...served.keys()].map(Number).filter(Number.isInteger);
}

function isOlder(number: number, served: ReadonlyMap<string, ServedDocument>): boolean {
  return number < Math.min(...numbersOf(served));
}

import type { SnpProduct, SnpTcb } from '../../src/model/claims.js';
import type { SnpSigningKey } from '../../src/model/endorsement.js';
import { labLine } from './amd-lines.js';
import type { AmdPki } from './amd-pki.js';
import type { LabFault } from './lab-fault.js';
import { type LabAnswer, type LabConnection, type LabRequest, LabServer, type LabServerOptions } from './lab-server.js';

export type KdsFault = LabFault;
export type KdsConnection = LabConnection;

/** AMD's Key Distribution Service on loopback: serves what it is given. */
export class LabKds extends LabServer {
  readonly #material = new Map<string, LabAnswer>();
  /** Requests for VCEKs that were let through, and those that were not. */
  readonly vceks = { answered: [] as string[], throttled: 0 };
  #vcekPauseMs = 0;
  #lastVcekMs = Number.NEGATIVE_INFINITY;

  private constructor(options: LabServerOptions) {
    super(options, 'https');
  }

  static async start(options: LabServerOptions = {}): Promise<LabKds> {
    const kds = new LabKds(options);
    await kds.listen();
    return kds;
  }

  /** Chains of a line as a PKI has them, and a CRL of its ARK without entries. */
  serveLine(pki: AmdPki, product: SnpProduct): void {
    for (const signingKey of ['vcek', 'vlek'] as const) {
      this.serveChain(product, signingKey, pki.chainPem(product, signingKey));
      this.serveCrl(product, signingKey, pki.issueCrl({ product }));
    }
  }

  /** PEM: ASK or ASVK, then ARK. */
  serveChain(product: SnpProduct, signingKey: SnpSigningKey, pem: string): void {
    this.#serve(`/${signingKey}/v1/${product}/cert_chain`, Buffer.from(pem), 'application/x-pem-file');
  }

  serveCrl(product: SnpProduct, signingKey: SnpSigningKey, der: Uint8Array): void {
    this.#serve(`/${signingKey}/v1/${product}/crl`, der, 'application/pkix-crl');
  }

  /** A VCEK, DER, for a chip (64 bytes, of which the first 8 count on some lines) and a TCB. */
  serveVcek(product: SnpProduct, chipId: Uint8Array, tcb: SnpTcb, der: Uint8Array): void {
    const id = Buffer.from(chipId.subarray(0, labLine(product).hwIdBytes)).toString('hex');
    this.#serve(vcekName(product, id, tcb), der, 'application/pkix-cert');
  }

  /** Lets through one request for a VCEK in so many milliseconds, as AMD does in some ten seconds, and answers 429 to others. */
  throttleVceks(pauseMs: number): void {
    this.#vcekPauseMs = pauseMs;
  }

  protected override respond({ method, url }: LabRequest): LabAnswer {
    if (VCEK_PATH.test(url) && !this.#letsThrough(url)) return THROTTLED;
    const material = this.#material.get(materialName(url));
    return method !== 'GET' || material === undefined ? NOT_FOUND : material;
  }

  #letsThrough(url: string): boolean {
    const now = performance.now();
    if (now - this.#lastVcekMs < this.#vcekPauseMs) {
      this.vceks.throttled += 1;
      return false;
    }
    this.#lastVcekMs = now;
    this.vceks.answered.push(url);
    return true;
  }

  #serve(name: string, body: Uint8Array, contentType: string): void {
    this.#material.set(name, { body, contentType });
  }
}

const THROTTLED: LabAnswer = { status: 429, contentType: 'text/plain', body: 'too many requests' };
const NOT_FOUND: LabAnswer = { status: 404, contentType: 'text/plain', body: 'not found' };

const VCEK_PATH = /^\/vcek\/v1\/(\w+)\/([0-9a-f]+)\?(.+)$/;

/** The name of what is asked: KDS reads the levels as numbers, in whatever order they come. */
function materialName(asked: string): string {
  const [, product, id, query] = VCEK_PATH.exec(asked) ?? [];
  if (product === undefined || id === undefined) return asked;
  const levels = new URLSearchParams(query);
  const level = (name: string) => Number(levels.get(`${name}SPL`) ?? Number.NaN);
  const tcb = { bootloader: level('bl'), tee: level('tee'), snp: level('snp'), microcode: level('ucode') };
  return vcekName(product, id, levels.has('fmcSPL') ? { ...tcb, fmc: level('fmc') } : tcb);
}

function vcekName(product: string, id: string, { fmc, bootloader, tee, snp, microcode }: SnpTcb): string {
  return `vcek ${product} ${id} ${[fmc ?? '-', bootloader, tee, snp, microcode].join('.')}`;
}

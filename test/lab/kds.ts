import type { SnpProduct, SnpTcb } from '../../src/core/claims.js';
import type { SnpSigningKey } from '../../src/core/endorsement.js';
import { labLine } from './amd-lines.js';
import type { AmdPki } from './amd-pki.js';
import type { LabFault } from './lab-fault.js';
import { type LabAnswer, type LabConnection, type LabRequest, LabServer, type LabServerOptions } from './lab-server.js';

export type KdsFault = LabFault;
export type KdsConnection = LabConnection;

/** AMD's Key Distribution Service on loopback: serves what it is given. */
export class LabKds extends LabServer {
  readonly #material = new Map<string, LabAnswer>();

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

  protected override respond({ method, url }: LabRequest): LabAnswer {
    const material = this.#material.get(materialName(url));
    return method !== 'GET' || material === undefined ? NOT_FOUND : material;
  }

  #serve(name: string, body: Uint8Array, contentType: string): void {
    this.#material.set(name, { body, contentType });
  }
}

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

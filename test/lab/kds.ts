import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createHttps, type Server as HttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { SnpProduct, SnpTcb } from '../../src/model/claims.js';
import type { SnpSigningKey } from '../../src/model/endorsement.js';
import type { AmdPki } from './amd-pki.js';
import { TlsAuthority } from './tls-authority.js';

/** What goes wrong with an answer. `half_open` never answers; `drip` sends one byte a second. */
export type KdsFault =
  | { readonly status: number; readonly retryAfter?: string }
  | 'half_open'
  | 'drip'
  | 'content_type'
  | 'garbage'
  | 'oversize'
  | 'redirect';

/** What goes wrong with connections: nobody listens, the certificate is a stranger's, or nothing is ever said. */
export type KdsConnection = 'up' | 'refused' | 'tls' | 'half_open';

interface Material {
  readonly body: Uint8Array;
  readonly contentType: string;
}

const OVERSIZE_CHUNK = Buffer.alloc(64 * 1024, 0x30);

/**
 * AMD's Key Distribution Service on loopback: an HTTPS server with a self-made authority that serves what it is given,
 * fails as it is told, and counts what it is asked.
 */
export class LabKds {
  /** The authority that a client has to trust, PEM. */
  readonly authorityPem: string;
  /** Path and query of each request, in order. */
  readonly requests: string[] = [];

  readonly #front: Server;
  readonly #https: { readonly genuine: HttpsServer; readonly stranger: HttpsServer };
  readonly #sockets = new Set<Socket>();
  readonly #material = new Map<string, Material>();
  #faults: { readonly on: RegExp; readonly fault: KdsFault }[] = [];
  #connection: KdsConnection = 'up';
  #port = 0;

  private constructor(authorityPem: string, genuine: HttpsServer, stranger: HttpsServer) {
    this.authorityPem = authorityPem;
    this.#https = { genuine, stranger };
    for (const server of [genuine, stranger]) {
      server.on('request', (request, response) => this.#answer(request, response));
      server.on('tlsClientError', () => {});
    }
    this.#front = createServer((socket) => this.#accept(socket));
  }

  static async start(): Promise<LabKds> {
    const authority = new TlsAuthority();
    const [genuine, stranger] = [authority.issueForLoopback(), new TlsAuthority().issueForLoopback()];
    const kds = new LabKds(authority.pem, createHttps(genuine), createHttps(stranger));
    await kds.#listen();
    return kds;
  }

  get origin(): string {
    return `https://localhost:${this.#port}`;
  }

  /** How many requests had a path that fits. */
  count(path: RegExp = /./): number {
    return this.requests.filter((asked) => path.test(asked)).length;
  }

  /** Chains of a line as a PKI has them, and a revocation list of its ARK without entries. */
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

  /** A VCEK, DER, for a chip (64 bytes; the first 8 count on Turin) and a TCB. */
  serveVcek(product: SnpProduct, chipId: Uint8Array, tcb: SnpTcb, der: Uint8Array): void {
    const id = Buffer.from(product === 'Turin' ? chipId.subarray(0, 8) : chipId).toString('hex');
    this.#serve(vcekName(product, id, tcb), der, 'application/pkix-cert');
  }

  /** Makes requests whose path fits fail from now on. The newest rule that fits counts. */
  fail(on: RegExp, fault: KdsFault): void {
    this.#faults = [{ on, fault }, ...this.#faults];
  }

  /** Ends every fault. */
  async heal(): Promise<void> {
    this.#faults = [];
    await this.connect('up');
  }

  /** Changes what becomes of connections. Those that exist end. */
  async connect(state: KdsConnection): Promise<void> {
    const before = this.#connection;
    this.#connection = state;
    if (state === 'refused' && before !== 'refused') await this.#stopListening();
    if (state !== 'refused' && before === 'refused') await this.#listen();
    this.#endConnections();
  }

  /** Connections that are open now. */
  get openConnections(): number {
    return this.#sockets.size;
  }

  async close(): Promise<void> {
    if (this.#front.listening) await this.#stopListening();
    this.#endConnections();
  }

  #serve(name: string, body: Uint8Array, contentType: string): void {
    this.#material.set(name, { body, contentType });
  }

  async #listen(): Promise<void> {
    this.#front.listen(this.#port, '127.0.0.1');
    await once(this.#front, 'listening');
    this.#port = (this.#front.address() as AddressInfo).port;
  }

  async #stopListening(): Promise<void> {
    const closed = once(this.#front, 'close');
    this.#front.close();
    this.#endConnections();
    await closed;
  }

  #endConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
    if (this.#connection === 'half_open') return;
    const { genuine, stranger } = this.#https;
    (this.#connection === 'tls' ? stranger : genuine).emit('connection', socket);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const asked = request.url ?? '';
    this.requests.push(asked);
    const material = this.#material.get(materialName(asked));
    const fault = this.#faults.find(({ on }) => on.test(asked))?.fault;
    if (fault !== undefined) {
      answerWithFault(response, fault, material);
    } else if (request.method !== 'GET' || material === undefined) {
      response.writeHead(404).end('not found');
    } else {
      response.writeHead(200, { 'content-type': material.contentType }).end(material.body);
    }
  }
}

function answerWithFault(response: ServerResponse, fault: KdsFault, material: Material = NO_MATERIAL): void {
  if (typeof fault === 'string') FAULTY_ANSWERS[fault](response, material);
  else
    response.writeHead(fault.status, fault.retryAfter === undefined ? {} : { 'retry-after': fault.retryAfter }).end();
}

const NO_MATERIAL: Material = { body: Buffer.alloc(64), contentType: 'application/octet-stream' };
const GARBAGE = Buffer.alloc(900, 0x5a);

const FAULTY_ANSWERS: {
  readonly [fault in Extract<KdsFault, string>]: (response: ServerResponse, material: Material) => void;
} = {
  half_open: () => {},
  drip: (response, { body, contentType }) => drip(response.writeHead(200, { 'content-type': contentType }), body),
  content_type: (response, { body }) => response.writeHead(200, { 'content-type': 'text/html' }).end(body),
  garbage: (response, { contentType }) => response.writeHead(200, { 'content-type': contentType }).end(GARBAGE),
  oversize: (response, { contentType }) => pour(response.writeHead(200, { 'content-type': contentType })),
  redirect: (response) => response.writeHead(302, { location: 'http://169.254.169.254/latest' }).end(),
};

function drip(response: ServerResponse, body: Uint8Array): void {
  let sent = 0;
  const timer = setInterval(() => response.write(body.subarray(sent, ++sent)), 1_000);
  response.write(body.subarray(sent, ++sent));
  response.on('close', () => clearInterval(timer));
}

/** Without Content-Length and without an end. */
function pour(response: ServerResponse): void {
  const more = () => {
    while (!response.destroyed && response.write(OVERSIZE_CHUNK));
  };
  response.on('drain', more);
  more();
}

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

import { once } from 'node:events';
import {
  createServer as createHttp,
  type Server as HttpServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { JsonValue } from '../../src/core/json.js';
import { answerWithFault, type LabFault } from './lab-fault.js';
import { TlsAuthority } from './tls-authority.js';

/** Faults of connections: no server listens, the certificate is of another authority, or no byte is ever sent. */
export type LabConnection = 'up' | 'refused' | 'tls' | 'half_open';

/** A request as it came in. */
export interface LabRequest {
  readonly method: string;
  /** Path and query, as asked. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface LabAnswer {
  /** 200 if left out. */
  readonly status?: number;
  readonly contentType: string;
  readonly headers?: { readonly [name: string]: string };
  readonly body: Uint8Array | string;
}

export interface LabServerOptions {
  /** Issues the server's certificate: servers that share one are trusted by one CA file. Left out, one of its own. */
  readonly tls?: TlsAuthority;
  /** Names of the server beside `localhost`, for its certificate. */
  readonly names?: readonly string[];
  /** Now; the machine's clock if left out. */
  readonly clock?: () => Date;
}

/**
 * A server of the lab on loopback: answers as its kind does, fails as it is told, and keeps what it is asked. Over
 * HTTPS with a certificate of a self-made authority, or over HTTP.
 */
export abstract class LabServer {
  /** The authority that a client has to trust, PEM. */
  readonly authorityPem: string;
  /** Path and query of each request, in order. */
  readonly requests: string[] = [];
  /** The same requests with headers and body, each from the moment it is complete. */
  readonly received: LabRequest[] = [];

  /** Connections that were made so far. */
  connectionsMade = 0;

  protected readonly clock: () => Date;
  readonly #scheme: 'https' | 'http';
  readonly #front: Server;
  readonly #behind: { readonly genuine: HttpServer; readonly stranger: HttpServer };
  readonly #sockets = new Set<Socket>();
  #faults: { readonly on: RegExp; readonly fault: LabFault; left: number }[] = [];
  #connection: LabConnection = 'up';
  #port = 0;

  protected constructor(
    { tls = new TlsAuthority(), names, clock = () => new Date() }: LabServerOptions,
    scheme: 'https' | 'http',
  ) {
    this.authorityPem = tls.pem;
    this.clock = clock;
    this.#scheme = scheme;
    const open = (authority: TlsAuthority) =>
      scheme === 'http' ? createHttp() : createHttps(authority.issueForLoopback(names));
    this.#behind = { genuine: open(tls), stranger: open(new TlsAuthority()) };
    for (const server of [this.#behind.genuine, this.#behind.stranger]) {
      server.on('request', (request, response) => void this.#answer(request, response));
      server.on('tlsClientError', () => {});
    }
    this.#front = createServer((socket) => this.#accept(socket));
  }

  /** The answers of the server without a fault. */
  protected abstract respond(request: LabRequest): LabAnswer | Promise<LabAnswer>;

  get port(): number {
    return this.#port;
  }

  get origin(): string {
    return `${this.#scheme}://localhost:${this.#port}`;
  }

  /** Connections that are open now. */
  get openConnections(): number {
    return this.#sockets.size;
  }

  /** How many requests had a path that fits. */
  count(path: RegExp = /./): number {
    return this.requests.filter((asked) => path.test(asked)).length;
  }

  /** Makes requests whose path fits fail from now on, or so many of them. The newest rule that fits counts. */
  fail(on: RegExp, fault: LabFault, times = Number.POSITIVE_INFINITY): void {
    this.#faults = [{ on, fault, left: times }, ...this.#faults];
  }

  /** Ends every fault. */
  async heal(): Promise<void> {
    this.#faults = [];
    await this.connect('up');
  }

  /** Changes what becomes of connections. Those that exist end, unless nothing changes. */
  async connect(state: LabConnection): Promise<void> {
    const before = this.#connection;
    if (state === before) return;
    this.#connection = state;
    if (state === 'refused') await this.#stopListening();
    if (before === 'refused') await this.listen();
    this.#endConnections();
  }

  async close(): Promise<void> {
    if (this.#front.listening) await this.#stopListening();
    this.#endConnections();
  }

  protected async listen(): Promise<void> {
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
    this.connectionsMade += 1;
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
    if (this.#connection === 'half_open') return;
    const { genuine, stranger } = this.#behind;
    (this.#connection === 'tls' ? stranger : genuine).emit('connection', socket);
  }

  #faultOf(url: string): LabFault | undefined {
    const rule = this.#faults.find(({ on, left }) => left > 0 && on.test(url));
    if (rule !== undefined) rule.left -= 1;
    return rule?.fault;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const { method = '', url = '', headers } = request;
      this.requests.push(url);
      const received = { method, url, headers, body: await text(request) };
      this.received.push(received);
      const fault = this.#faultOf(url);
      const genuine = () => this.respond(received);
      if (fault === undefined) send(response, await genuine());
      else await answerWithFault(response, fault, genuine);
    } catch (error) {
      // A client that disconnected, or a mistake in the lab. A client that still listens gets the error.
      if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain' });
      response.end(String(error));
    }
  }
}

function send(response: ServerResponse, { status = 200, contentType, headers, body }: LabAnswer): void {
  response.writeHead(status, { 'content-type': contentType, ...headers }).end(body);
}

/** A JSON answer. */
export function jsonAnswer(value: JsonValue, options: Omit<LabAnswer, 'body' | 'contentType'> = {}): LabAnswer {
  return { contentType: 'application/json; charset=utf-8', ...options, body: JSON.stringify(value) };
}

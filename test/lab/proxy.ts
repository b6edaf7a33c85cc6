import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type Socket } from 'node:net';
import type { TlsIdentity } from './tls-authority.js';

const LOOPBACK = '127.0.0.1';

/** A tunnel that was asked for. */
export interface AskedTunnel {
  /** `host:port`. */
  readonly target: string;
  readonly headers: IncomingMessage['headers'];
}

/** The reaction of the proxy to a request for a tunnel. `hang`: nothing. `hang-up`: it ends the connection. */
export type ProxyConduct = 'tunnel' | 'hang' | 'hang-up' | 'talk' | { readonly status: number };

/** An HTTP proxy on loopback. It takes every name for this machine, and serves CONNECT only. */
export class LabProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly asked: AskedTunnel[] = [];
  /** Requests of any other method. */
  readonly plain: string[] = [];
  conduct: ProxyConduct = 'tunnel';
  /** Port that every tunnel leads to; null: the one that is asked for. */
  port: number | null = null;

  private constructor(tls: TlsIdentity | null) {
    const answer = ({ method = '', url = '' }: IncomingMessage) => void this.plain.push(`${method} ${url}`);
    this.#server = tls === null ? createServer(answer) : createTlsServer({ ...tls }, answer);
    this.#server.on('connect', (request, socket: Socket, head: Buffer) => this.#connect(request, socket, head));
    this.#server.on('connection', (socket: Socket) => this.#keep(socket));
  }

  /** @param tls identity of an https proxy */
  static async start(tls: TlsIdentity | null = null): Promise<LabProxy> {
    const proxy = new LabProxy(tls);
    proxy.#server.listen(0, LOOPBACK);
    await once(proxy.#server, 'listening');
    return proxy;
  }

  /** Host and port. */
  get host(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy does not listen');
    return `${LOOPBACK}:${address.port}`;
  }

  get targets(): readonly string[] {
    return this.asked.map(({ target }) => target);
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #connect({ url: target = '', headers }: IncomingMessage, socket: Socket, head: Buffer): void {
    this.asked.push({ target, headers });
    socket.on('error', () => {});
    const { conduct } = this;
    if (conduct === 'hang') return;
    if (conduct === 'hang-up') socket.destroy();
    else if (conduct === 'talk') socket.write('HTTP/1.1 200 OK\r\n\r\nhello');
    else if (conduct === 'tunnel') this.#tunnel(target, socket, head);
    else socket.end(`HTTP/1.1 ${conduct.status} No\r\ncontent-length: 0\r\n\r\n`);
  }

  #tunnel(target: string, socket: Socket, head: Buffer): void {
    const port = this.port ?? Number(target.slice(target.lastIndexOf(':') + 1));
    const onward = this.#keep(connect(port, LOOPBACK));
    onward.once('connect', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.write(head);
      socket.pipe(onward).pipe(socket);
    });
    onward.on('error', () => socket.destroy());
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket);
    return socket.once('close', () => this.#sockets.delete(socket));
  }
}

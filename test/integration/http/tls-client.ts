import { once } from 'node:events';
import { connect, type SecureVersion, type TLSSocket } from 'node:tls';
import type { TlsIdentity } from '../../lab/tls-authority.js';

export interface TlsClientOptions {
  /** The roots that the client trusts, PEM. */
  readonly ca: string;
  readonly identity?: TlsIdentity;
  /** Of an earlier connection, to be resumed. */
  readonly session?: Buffer | null;
  readonly version?: SecureVersion;
}

/** One TLS connection, kept open between requests. */
export class TlsClient {
  readonly #socket: TLSSocket;
  #session: Buffer | null = null;
  #received = '';
  readonly ended: Promise<void>;

  private constructor(port: number, { ca, identity, session = null, version }: TlsClientOptions) {
    this.#socket = connect({
      port,
      host: '127.0.0.1',
      ca,
      ...identity,
      ...(session === null ? {} : { session }),
      ...(version === undefined ? {} : { minVersion: version, maxVersion: version }),
    });
    this.#socket.on('session', (ticket) => {
      this.#session = ticket;
    });
    this.#socket.on('data', (data) => {
      this.#received += data.toString('latin1');
    });
    // Seen as an end: in TLS 1.3 a client learns after its handshake only that it was refused.
    this.#socket.on('error', () => {});
    this.ended = new Promise((resolve) => this.#socket.once('close', () => resolve()));
  }

  /** Connects. Whether the server lets the client in shows with the first answer. */
  static async connect(port: number, options: TlsClientOptions): Promise<TlsClient> {
    const client = new TlsClient(port, options);
    await Promise.race([once(client.#socket, 'secureConnect').catch(() => {}), client.ended]);
    return client;
  }

  /** Status of an answer; null if the connection ends instead. */
  async ask(path = '/livez', headers: Readonly<Record<string, string>> = {}): Promise<number | null> {
    this.#received = '';
    const lines = Object.entries({ Host: 'localhost', ...headers }).map(([name, value]) => `${name}: ${value}`);
    this.#socket.write([`GET ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n'));
    while (!this.#received.includes('\r\n\r\n') && !this.#socket.destroyed) {
      await Promise.race([once(this.#socket, 'data').catch(() => {}), this.ended]);
    }
    return this.#received === '' ? null : Number(/^HTTP\/1\.1 (\d{3})/.exec(this.#received)?.[1]);
  }

  /** The newest ticket: a server sends it with, or after, the handshake. */
  get session(): Buffer | null {
    return this.#session;
  }

  get isResumed(): boolean {
    return this.#socket.isSessionReused();
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  /** SHA-256 of the certificate that the server has shown. */
  get serverFingerprint(): string {
    return this.#socket.getPeerCertificate().fingerprint256;
  }

  close(): void {
    this.#socket.destroy();
  }
}

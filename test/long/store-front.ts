import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { TlsIdentity } from '../lab/tls-authority.js';
import { TlsAuthority } from '../lab/tls-authority.js';

/** The treatment of the answers of a store. */
type Spoilt = 'half' | 'drip' | 'garb' | 'over';

const HOST = '127.0.0.1';
const DRIP_MS = 1_000;
/** Where a client reads on and on, it is not led on for ever. */
const [POURED, MOST_POURED] = [64 * 1024, 64 * 1024 * 1024];

/** TLS in front of a database that has none, which spoils its answers where it is told to. */
export class StoreFront {
  #target: number;
  readonly #genuine: TlsIdentity;
  readonly #stranger = new TlsAuthority('a stranger').issueForLoopback();
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;
  #port = 0;
  #isStranger = false;
  #spoilt: Spoilt | null = null;

  private constructor(target: number, genuine: TlsIdentity) {
    this.#target = target;
    this.#genuine = genuine;
  }

  static async start(target: number, tls: TlsAuthority): Promise<StoreFront> {
    const front = new StoreFront(target, tls.issueForLoopback());
    await front.listen();
    return front;
  }

  get port(): number {
    return this.#port;
  }

  /** Listens, at the same port as before. */
  async listen(): Promise<void> {
    this.#server = createServer((socket) => this.#accept(socket)).listen(this.#port, HOST);
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    const closed = once(server, 'close');
    server.close();
    this.cut();
    await closed;
  }

  /** Connects to another port from now on; connections that are there end. */
  pointTo(target: number): void {
    this.#target = target;
    this.cut();
  }

  /** Ends every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Whether it shows a certificate that nobody trusts. */
  beStranger(isStranger: boolean): void {
    this.#isStranger = isStranger;
  }

  /** Spoils answers from now on, those over connections that are there as well; null: no more, and these connections end. */
  spoil(spoilt: Spoilt | null): void {
    if (spoilt === null && this.#spoilt !== null) this.cut();
    this.#spoilt = spoilt;
  }

  /** A client of PostgreSQL asks for TLS, and begins with it once it was told yes. */
  #accept(raw: Socket): void {
    raw.on('error', () => {});
    this.#sockets.add(raw);
    raw.once('data', () => {
      raw.pause();
      raw.write('S', () => this.#secure(raw));
    });
  }

  #secure(raw: Socket): void {
    const identity = this.#isStranger ? this.#stranger : this.#genuine;
    const client = new TLSSocket(raw, { isServer: true, secureContext: createSecureContext(identity) });
    const server = connect(this.#target, HOST);
    for (const end of [raw, client, server]) {
      this.#sockets.add(end);
      end.on('error', () => {});
      end.on('close', () => {
        this.#sockets.delete(end);
        for (const other of [raw, client, server]) other.destroy();
      });
    }
    client.on('data', (command) => server.write(command));
    server.on('data', (answer) => this.#pass(answer, client));
  }

  #pass(answer: Buffer, client: Socket): void {
    switch (this.#spoilt) {
      case null:
        client.write(answer);
        return;
      case 'half':
        return;
      case 'drip':
        drip(answer, client);
        return;
      case 'garb':
        client.write(Buffer.alloc(64, 0x5a));
        return;
      case 'over':
        pour(client);
        return;
    }
  }
}

function drip(bytes: Buffer, client: Socket): void {
  let sent = 0;
  const timer = setInterval(() => {
    client.write(bytes.subarray(sent, ++sent));
    if (sent === bytes.length) clearInterval(timer);
  }, DRIP_MS);
  client.on('close', () => clearInterval(timer));
}

/** A row that says to be longer than anything that a store holds, and goes on. */
function pour(client: Socket): void {
  client.write(Buffer.from([0x44, 0x3f, 0xff, 0xff, 0xff]));
  let poured = 0;
  const more = () => {
    while (!client.destroyed && poured < MOST_POURED && client.write(Buffer.alloc(POURED, 0x30))) poured += POURED;
  };
  client.on('drain', more);
  more();
}

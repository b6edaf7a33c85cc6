import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** What happens to the next command or its answer; the connection is cut then. */
export type Fault = 'half the command passes' | 'the answer does not pass' | 'half the answer passes';

const HOST = '127.0.0.1';

/** Stands between a client and a server, passes everything on, and fails where it is told to. */
export class FaultyProxy {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #fault: Fault | null = null;

  private constructor(target: number) {
    this.#server = createServer((client) => this.#join(client, connect(target, HOST)));
  }

  static async start(target: number): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(target);
    proxy.#server.listen(0, HOST);
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return address.port;
  }

  /** Connections that pass it. */
  get connections(): number {
    return this.#pairs.size;
  }

  failNext(fault: Fault): void {
    this.#fault = fault;
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const pair of this.#pairs) cut(pair);
    await once(this.#server, 'close');
  }

  #join(client: Socket, server: Socket): void {
    const pair = [client, server] as const;
    this.#pairs.add(pair);
    for (const end of pair) {
      end.on('error', () => undefined);
      end.on('close', () => {
        cut(pair);
        this.#pairs.delete(pair);
      });
    }
    client.on('data', (command) => this.#pass(command, pair, 'command'));
    server.on('data', (answer) => this.#pass(answer, pair, 'answer'));
  }

  #pass(bytes: Buffer, [client, server]: readonly [Socket, Socket], what: 'command' | 'answer'): void {
    const to = what === 'command' ? server : client;
    if (this.#fault === null || !this.#fault.includes(what)) {
      to.write(bytes);
      return;
    }
    const passes = this.#fault.startsWith('half') ? bytes.length >> 1 : 0;
    this.#fault = null;
    // What passes has left before the connection ends.
    to.write(bytes.subarray(0, passes), () => cut([client, server]));
  }
}

function cut(pair: readonly [Socket, Socket]): void {
  for (const end of pair) end.destroy();
}

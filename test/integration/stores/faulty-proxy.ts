import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** What happens to the next command with a text, or to its answer. All but a held command end the connection. */
export type Fault =
  | 'half the command passes'
  | 'the answer does not pass'
  | 'half the answer passes'
  | 'the command is held';

interface Expected {
  readonly fault: Fault;
  /** Text of the command. */
  readonly text: string;
  /** Text of a command before it, on the same connection. */
  readonly after: string;
  readonly onHeld: (release: () => void) => void;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** Of the next answer. */
  fault: Fault | null;
  /** Whether the command before the expected one was sent. */
  isPrepared: boolean;
  /** Whether a command of this connection is held: the server must not notice that the client left. */
  isHeld: boolean;
}

const HOST = '127.0.0.1';

/** Passes everything on between clients and a server, except where it is told otherwise. */
export class FaultyProxy {
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #expected: Expected | null = null;

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

  /**
   * @param text that the command has; defaults to any command
   * @param after that an earlier command of its connection has; defaults to none
   */
  failNext(fault: Exclude<Fault, 'the command is held'>, text = '', after = ''): void {
    for (const pair of this.#pairs) pair.isPrepared = false;
    this.#expected = { fault, text, after, onHeld: () => undefined };
  }

  /** Holds the next command with a text. @returns once it is held, what passes it on */
  holdNext(text: string): Promise<() => void> {
    return new Promise((onHeld) => {
      this.#expected = { fault: 'the command is held', text, after: '', onHeld };
    });
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const pair of this.#pairs) cut(pair);
    await once(this.#server, 'close');
  }

  #join(client: Socket, server: Socket): void {
    const pair: Pair = { client, server, fault: null, isPrepared: false, isHeld: false };
    this.#pairs.add(pair);
    for (const end of [client, server]) {
      end.on('error', () => undefined);
      end.on('close', () => {
        if (end === client && pair.isHeld) return;
        cut(pair);
        this.#pairs.delete(pair);
      });
    }
    client.on('data', (bytes) => this.#command(bytes, pair));
    server.on('data', (bytes) => answer(bytes, pair));
  }

  #command(bytes: Buffer, pair: Pair): void {
    const expected = this.#expected;
    if (expected !== null && bytes.includes(expected.after)) pair.isPrepared = true;
    if (expected === null || !pair.isPrepared || !bytes.includes(expected.text)) {
      pair.server.write(bytes);
      return;
    }
    this.#expected = null;
    const { fault, onHeld } = expected;
    if (fault === 'half the command passes') {
      pair.server.write(bytes.subarray(0, bytes.length >> 1), () => cut(pair));
    } else if (fault === 'the command is held') {
      pair.isHeld = true;
      onHeld(() => {
        pair.isHeld = false;
        pair.server.write(bytes, () => pair.server.end());
      });
    } else {
      pair.fault = fault;
      pair.server.write(bytes);
    }
  }
}

function answer(bytes: Buffer, pair: Pair): void {
  const { fault, client } = pair;
  if (fault === null) client.write(bytes);
  else client.write(bytes.subarray(0, fault === 'half the answer passes' ? bytes.length >> 1 : 0), () => cut(pair));
}

function cut({ client, server }: Pair): void {
  client.destroy();
  server.destroy();
}

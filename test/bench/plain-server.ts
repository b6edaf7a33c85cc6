import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Verify } from './primitives.js';

/** About as long as the answer to a bare guest. */
const ANSWER = JSON.stringify({ decision: 'allow', filling: 'x'.repeat(8_000) });

/**
 * The least that a verifier over HTTP can do in this runtime: it takes the body, verifies one P-384 signature that
 * has nothing to do with it, and answers. What the service is short of this is its own cost.
 */
export class PlainServer {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(verify: Verify): Promise<PlainServer> {
    const server = createServer((request, response) => {
      const chunks: Uint8Array[] = [];
      request.on('data', (chunk: Uint8Array) => chunks.push(chunk));
      request.on('end', () => {
        const answer = { 'content-type': 'application/json', 'content-length': ANSWER.length };
        verify().then(
          () => response.writeHead(200, answer).end(ANSWER),
          () => response.writeHead(500).end(),
        );
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new PlainServer(server);
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }
}

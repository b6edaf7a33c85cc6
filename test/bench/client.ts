import { Agent, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { AT_A_TIME } from './protocol.js';
import { repeat } from './repeat.js';

/** A client with a few connections that stay open, one request under way on each. */
export class Client {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: AT_A_TIME });
  readonly #url: URL;

  constructor(url: string) {
    this.#url = new URL('/verify', url);
  }

  /** Sends the bodies in turn. */
  async verify(bodies: readonly string[], times: number): Promise<void> {
    let turn = 0;
    await repeat(times, () => this.#send(bodies[turn++ % bodies.length] ?? ''));
  }

  close(): void {
    this.#agent.destroy();
  }

  /** @throws {Error} for any other answer than an allow */
  async #send(body: string): Promise<void> {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const answer = await new Promise<Buffer>((resolve, reject) => {
      const sent = request(this.#url, { method: 'POST', agent: this.#agent, headers }, (response) =>
        buffer(response).then(resolve, reject),
      );
      sent.on('error', reject);
      sent.end(body);
    });
    const text = answer.toString('utf8');
    if (!text.startsWith('{"decision":"allow"')) throw new Error(`the service answered ${text.slice(0, 2_000)}`);
  }
}

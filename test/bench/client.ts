import { Pool } from 'undici';
import { AT_A_TIME } from './protocol.js';
import { repeat } from './repeat.js';

const ALLOWED = /^\{"decision":"allow"/;

/** A client with a few connections that stay open, one request under way on each. It sends its bodies in turn. */
export class Client {
  readonly #pool: Pool;
  readonly #path: string;
  readonly #bodies: readonly string[];
  readonly #connections: number;
  #turn = 0;

  constructor(url: string, bodies: readonly string[], connections = AT_A_TIME) {
    const { origin, pathname, search } = new URL(url);
    this.#pool = new Pool(origin, { connections, pipelining: 1 });
    this.#path = pathname + search;
    this.#bodies = bodies;
    this.#connections = connections;
  }

  /** @returns how long each request took, in milliseconds */
  async verify(times: number): Promise<readonly number[]> {
    const took: number[] = [];
    await repeat(
      times,
      async () => {
        const start = performance.now();
        await this.send();
        took.push(performance.now() - start);
      },
      this.#connections,
    );
    return took;
  }

  /**
   * Sends the next body.
   * @throws {Error} for any other answer than an allow
   */
  async send(): Promise<string> {
    const body = this.#bodies[this.#turn++ % this.#bodies.length] ?? '';
    const headers = { 'content-type': 'application/json' };
    const answer = await this.#pool.request({ path: this.#path, method: 'POST', headers, body });
    const text = await answer.body.text();
    if (!ALLOWED.test(text)) throw new Error(`the service answered ${text.slice(0, 2_000)}`);
    return text;
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}

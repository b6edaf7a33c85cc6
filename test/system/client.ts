import { randomUUID } from 'node:crypto';
import { Agent, type IncomingMessage, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Question } from './lab.js';

/** The result of one request for its client. */
export type Outcome = Answered | Unanswered;

export interface Answered {
  readonly id: string;
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  // biome-ignore lint/suspicious/noExplicitAny: answers are compared with expectations
  readonly body: any;
}

export interface Unanswered {
  readonly id: string;
  /** Of the system's error: `ECONNREFUSED` where nobody listened. */
  readonly error: string;
  /** Whether an answer had begun. */
  readonly begun: boolean;
}

/** A client with a few connections that stay open, one request under way on each. Nothing is ever sent twice. */
export class Client {
  readonly #agent: Agent;
  readonly #url: string;

  constructor(url: string, connections: number) {
    this.#url = url;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  get(target: string): Promise<Outcome> {
    return this.#send('GET', target, {}, []);
  }

  post(target: string, ...body: readonly string[]): Promise<Outcome> {
    return this.#send('POST', target, { 'content-type': 'application/json' }, body);
  }

  /** Asks, and again where load was shed, as the answer says; what is refused so was not looked at. */
  async ask({ body }: Pick<Question, 'body'>, target = '/verify'): Promise<Answered> {
    for (;;) {
      const outcome = await this.post(target, body);
      if ('error' in outcome) throw new Error(`no answer: ${outcome.error}`);
      if (outcome.body.code !== 'overloaded') return outcome;
      await sleep(Number(outcome.headers['retry-after']) * 1000);
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  /** @param body its length is told where it comes in one piece, and not told where it comes in several */
  #send(method: string, target: string, headers: object, body: readonly string[]): Promise<Outcome> {
    const id = randomUUID();
    const length = body.length === 1 ? { 'content-length': Buffer.byteLength(body[0] ?? '') } : {};
    return new Promise((resolve) => {
      const options = { method, agent: this.#agent, headers: { ...headers, ...length, 'x-request-id': id } };
      let begun = false;
      const fail = (error: NodeJS.ErrnoException) => resolve({ id, error: error.code ?? error.message, begun });
      const sent = request(this.#url + target, options, (response) => {
        begun = true;
        readAll(response).then((text) => {
          const { statusCode: status = 0, headers: received } = response;
          resolve({ id, status, headers: received, body: bodyOf(received['content-type'], text) });
        }, fail);
      });
      sent.on('error', fail);
      for (const part of body) sent.write(part);
      sent.end();
    });
  }
}

async function readAll(response: IncomingMessage): Promise<string> {
  let received = '';
  response.setEncoding('utf8');
  for await (const chunk of response) received += chunk;
  return received;
}

function bodyOf(contentType: string | undefined, text: string): unknown {
  return contentType?.includes('json') ? JSON.parse(text) : text;
}

/** Decision and reasons of an answer, to be compared with those of the question. */
export function verdictOf({ status, body }: Answered): object {
  return status === 200 ? { decision: body.decision, reasons: body.reasons } : { status, code: body.code };
}

export function verdictFor({ decision, reasons }: Question): object {
  return { decision, reasons };
}

import { connect } from 'node:net';
import { Agent, request } from 'undici';
import { requireConforming, type SeenAnswer } from '../../contract/conforms.js';

export interface Answer extends SeenAnswer {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  // biome-ignore lint/suspicious/noExplicitAny: answers are compared with expectations, and with openapi.yaml
  readonly body: any;
}

export interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS' | 'HEAD' | 'PATCH' | 'TRACE';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer | null;
}

/** Makes a call over a connection of its own, and compares the answer with openapi.yaml. */
export async function call(url: string, target: string, options: Call = {}): Promise<Answer> {
  const method = options.method ?? 'GET';
  const dispatcher = new Agent({ pipelining: 0 });
  try {
    const { method: _, ...rest } = options;
    const answer = await request(url + target, { method, dispatcher, ...rest });
    const text = await answer.body.text();
    const contentType = String(answer.headers['content-type'] ?? '');
    const body = /[/+]json(?:;|$)/.test(contentType) && text !== '' ? JSON.parse(text) : text;
    const seen = { status: answer.statusCode, contentType, body, headers: answer.headers };
    if (method !== 'HEAD') requireConforming(method, target.split('?', 1)[0] ?? '', seen);
    return seen;
  } finally {
    await dispatcher.destroy();
  }
}

/** Posts JSON. */
export function post(
  url: string,
  target: string,
  body: string | Buffer,
  headers: Call['headers'] = {},
): Promise<Answer> {
  return call(url, target, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });
}

/** Sends bytes as they are, and gives what comes back until the server closes the connection. */
export function exchange(port: number, ...parts: readonly (string | Buffer)[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
    });
    // A reset after the answer is an end, too.
    socket.on('error', (error) => (received === '' ? reject(error) : resolve(received)));
    socket.on('close', () => resolve(received));
    for (const part of parts) socket.write(part);
  });
}

/** As `exchange`, for a connection that the server ends without an answer: a reset is such an end, nothing else is. */
export async function exchangeWithoutAnswer(port: number, ...parts: readonly (string | Buffer)[]): Promise<string> {
  try {
    return await exchange(port, ...parts);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE')) return '';
    throw error;
  }
}

/** The answers in what came over a socket, in their order. Only for answers with a content-length. */
export function answersIn(received: string): readonly SeenAnswer[] {
  const answers: SeenAnswer[] = [];
  let rest = received;
  while (rest !== '') {
    const headEnd = rest.indexOf('\r\n\r\n');
    const head = rest.slice(0, headEnd);
    const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
    const text = rest.slice(headEnd + 4, headEnd + 4 + length);
    const contentType = /^content-type: (.+)$/im.exec(head)?.[1] ?? null;
    answers.push({
      status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]),
      contentType,
      body: contentType?.includes('json') ? JSON.parse(text) : text,
    });
    rest = rest.slice(headEnd + 4 + length);
  }
  return answers;
}

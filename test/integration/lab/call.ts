import { Agent, request } from 'undici';
import type { JsonObject } from '../../../src/core/json.js';
import type { LabServer } from '../../lab/lab-server.js';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: JsonObject;
}

export interface CallOptions {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  /** Text as it stands, or an object as JSON. */
  readonly body?: string | object;
}

/** Calls a server of the lab that answers in JSON. */
export async function call(server: LabServer, path: string, options: CallOptions = {}): Promise<Answer> {
  const { bytes, ...answer } = await ask(server, path, options);
  return { ...answer, body: JSON.parse(bytes.toString('utf8')) };
}

/** Bytes of a server of the lab. */
export async function download(server: LabServer, path: string): Promise<Uint8Array> {
  return (await ask(server, path, {})).bytes;
}

/** Status of an answer, whatever its body is. */
export async function statusOf(server: LabServer, path: string, options: CallOptions = {}): Promise<number> {
  return (await ask(server, path, options)).status;
}

/** Trusts the server's authority; a connection of its own. */
async function ask(server: LabServer, path: string, { body, method, headers }: CallOptions) {
  const agent = new Agent({ connect: { ca: server.authorityPem } });
  try {
    const isJson = typeof body === 'object';
    const answer = await request(server.origin + path, {
      dispatcher: agent,
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: { ...(isJson ? { 'content-type': 'application/json' } : {}), ...headers },
      ...(body === undefined ? {} : { body: isJson ? JSON.stringify(body) : body }),
    });
    const bytes = Buffer.from(await answer.body.arrayBuffer());
    return { status: answer.statusCode, headers: answer.headers, bytes };
  } finally {
    await agent.close();
  }
}

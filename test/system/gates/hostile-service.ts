import type { KeyObject } from 'node:crypto';
import { sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** An answer as the real service gave it. */
export interface RealAnswer {
  readonly status: number;
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: answers are changed in whatever place
  readonly body: any;
}

/** The action instead of passing the answer on. */
export type Hostility = (answer: RealAnswer, response: ServerResponse) => void;

/** By name, with the path whose answer it changes. */
type Hostilities = ReadonlyMap<string, { readonly at: string; readonly does: Hostility }>;

/** Sends JSON. */
export function send(response: ServerResponse, body: unknown, status = 200, type = 'application/json'): void {
  response.writeHead(status, { 'content-type': type }).end(typeof body === 'string' ? body : JSON.stringify(body));
}

/**
 * A server in front of a real service. Below `/NAME/` it does to the answers what that hostility does, and passes the rest on.
 */
export class HostileService {
  /** The Authorization header of each exchange. */
  readonly keys = new Set<string>();
  /** Where the real service is. */
  behind = '';
  readonly #server: Server;
  readonly #hostilities: Hostilities;

  private constructor(hostilities: Hostilities) {
    this.#hostilities = hostilities;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
  }

  static async start(hostilities: Hostilities): Promise<HostileService> {
    const service = new HostileService(hostilities);
    await once(service.#server.listen(0, '127.0.0.1'), 'listening');
    return service;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, name = '', path = request.url ?? ''] = /^\/as\/([^/]+)(\/.*)$/.exec(request.url ?? '') ?? [];
    const hostility = this.#hostilities.get(name);
    const answer = await this.#ask(request, path);
    if (hostility?.at === path) hostility.does(answer, response);
    else send(response, answer.body, answer.status, answer.type);
  }

  async #ask(request: IncomingMessage, path: string): Promise<RealAnswer> {
    const { method = 'GET', headers } = request;
    const { authorization } = headers;
    if (path !== '/.well-known/jwks.json') this.keys.add(authorization ?? 'none');
    const sent = await buffer(request);
    for (;;) {
      const answer = await fetch(`${this.behind}${path}`, {
        method,
        headers: {
          ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
          ...(authorization === undefined ? {} : { authorization }),
        },
        ...(method === 'POST' ? { body: sent } : {}),
      });
      const body = JSON.parse(await answer.text());
      // The service runs in this process, and what it sheds was not looked at.
      if (body.code === 'overloaded') continue;
      return { status: answer.status, type: answer.headers.get('content-type') ?? '', body };
    }
  }
}

type Claims = Readonly<Record<string, unknown>>;

/** A receipt with some claims changed, signed anew. */
export function resigned(receipt: string, key: KeyObject, change: (claims: Claims) => object): string {
  return resignedText(receipt, key, (header, payload) => {
    const claims: Claims = JSON.parse(payload);
    return [header, JSON.stringify({ ...claims, ...change(claims) })];
  });
}

/** A receipt with the texts of its header and payload changed, signed anew. */
export function resignedText(
  receipt: string,
  key: KeyObject,
  change: (header: string, payload: string) => readonly [header: string, payload: string],
): string {
  const [header = '', payload = ''] = receipt.split('.', 2).map((part) => Buffer.from(part, 'base64url').toString());
  const input = change(header, payload)
    .map((text) => Buffer.from(text).toString('base64url'))
    .join('.');
  return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`;
}

import type { RunningService } from '../../src/app/service.js';
import type { JsonValue } from '../../src/core/json.js';
import { type Answer, type Call, call } from '../integration/http/exchange.js';
import { challenge, LabService } from '../integration/service/lab-service.js';
import type { HttpAction, HttpCall, LabEvidence } from './mistake.js';

/** Services of the lab on free ports, one for each configuration that a mistake asks for. */
export class MessagesService {
  readonly #lab: LabService;
  readonly #services = new Map<string, Promise<RunningService>>();

  private constructor(lab: LabService) {
    this.#lab = lab;
  }

  static async create(): Promise<MessagesService> {
    return new MessagesService(await LabService.create());
  }

  async run({ call: made, configuration = {} }: HttpAction): Promise<Answer> {
    const service = await this.#serviceWith(configuration);
    const wanted = typeof made === 'function' ? await made(this.#evidenceFor(service)) : made;
    return call(service.url, wanted.target, callOf(wanted));
  }

  close(): Promise<void> {
    return this.#lab.close();
  }

  #serviceWith(configuration: NonNullable<HttpAction['configuration']>): Promise<RunningService> {
    const key = JSON.stringify(configuration);
    const service = this.#services.get(key) ?? this.#lab.start(configuration, {}, `data-${this.#services.size}`);
    this.#services.set(key, service);
    return service;
  }

  #evidenceFor(service: RunningService): LabEvidence {
    return {
      body: async () => JSON.parse(this.#lab.verifyBody({ nonce: await challenge(service) })),
      verify: (body) => call(service.url, '/verify', callOf({ target: '/verify', body })),
    };
  }
}

function callOf({ method = 'POST', headers = {}, body }: HttpCall): Call {
  const given = Object.entries({ ...(method === 'POST' ? { 'content-type': 'application/json' } : {}), ...headers });
  const sent = given.filter((header): header is [string, string] => header[1] !== null);
  return { method, headers: Object.fromEntries(sent), body: body === undefined ? null : bytesOf(body) };
}

function bytesOf(body: JsonValue | Uint8Array): Buffer {
  if (body instanceof Uint8Array) return Buffer.from(body);
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

import type { JsonObject, JsonValue } from '../core/json.js';
import { fetchedKeySet } from '../relying-party/fetched-keys.js';
import type { ReceiptKeySource } from '../relying-party/key-source.js';
import type { components } from './generated/openapi-types.js';

type Schemas = components['schemas'];
export type Decision = Schemas['Decision'];
export type Check = Schemas['Check'];
export type HeldEndorsement = Schemas['HeldEndorsement'];
export type RecordedDecision = Schemas['RecordedDecision'];
export type PolicyText = Schemas['PolicyText'];
export type PolicyProblem = Schemas['PolicyProblem'];
export type Evaluation = Schemas['Evaluation'];
export type ExplanationNode = Schemas['ExplanationNode'];

/** A request to the service failed. */
export class ServiceFault extends Error {
  override readonly name = 'ServiceFault';
  /** HTTP status; null if there was no answer. */
  readonly status: number | null;
  /** Code of the problem document. */
  readonly code: string | null;
  readonly pointer: string | null;

  constructor(message: string, { status = null, code = null, pointer = null }: Partial<Problem> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.pointer = pointer;
  }
}

interface Problem {
  readonly status: number | null;
  readonly code: string | null;
  readonly pointer: string | null;
}

/** The Node types, with which tests are compiled, lack the member. */
const UNCACHED = { cache: 'no-store' } as const;

/** The requests of the page to its own service. It contacts no other. */
export class Service {
  /** Origin of the page. */
  readonly origin: string;
  /** Key of the caller, only in the memory of the page. */
  #key: string | null = null;

  constructor(origin: string) {
    this.origin = origin;
  }

  /** @param key null: no caller */
  identify(key: string | null): void {
    this.#key = key;
  }

  verify(body: JsonObject): Promise<Decision> {
    return this.#post('/verify?checks=all', body) as Promise<Decision>;
  }

  decision(id: string): Promise<RecordedDecision> {
    return this.#get(`/decisions/${encodeURIComponent(id)}`) as Promise<RecordedDecision>;
  }

  /** Fetches a recording, which is public. @param path from the list of examples */
  example(path: string): Promise<JsonValue> {
    return this.#ask(path, { method: 'GET' }, null);
  }

  endorsement(sha256: string): Promise<HeldEndorsement> {
    return this.#get(`/endorsements/${encodeURIComponent(sha256)}`) as unknown as Promise<HeldEndorsement>;
  }

  /** `iss` of its receipts; null if none is configured. */
  async issuer(): Promise<string | null> {
    const { issuer } = (await this.#get('/.well-known/openid-configuration')) as JsonObject;
    return typeof issuer === 'string' ? issuer : null;
  }

  /**
   * The keys of the service for one receipt. Each `kid` is fetched once, even after a failure or if the receipt is verified again.
   * The client library fetches them, and bounds the answer.
   */
  receiptKeys(): ReceiptKeySource {
    const asked = new Map<string, ReturnType<ReceiptKeySource['find']>>();
    const ask = async (kid: string) => fetchedKeySet({ issuer: this.origin }).find(kid);
    return {
      find: (kid) => {
        const found = asked.get(kid) ?? ask(kid);
        asked.set(kid, found);
        return found;
      },
    };
  }

  policy(id: string): Promise<PolicyText> {
    return this.#get(`/policies/${encodeURIComponent(id)}`) as Promise<PolicyText>;
  }

  async lint(text: string): Promise<readonly PolicyProblem[]> {
    const { problems } = (await this.#post('/policies:lint', { text })) as unknown as Schemas['LintResult'];
    return problems;
  }

  evaluate(asked: JsonObject): Promise<Evaluation> {
    return this.#post('/policies:evaluate', asked) as Promise<Evaluation>;
  }

  #get(path: string): Promise<JsonValue> {
    return this.#ask(path, { method: 'GET' });
  }

  #post(path: string, body: JsonObject): Promise<JsonValue> {
    const headers = { 'content-type': 'application/json' };
    return this.#ask(path, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  async #ask(
    path: string,
    init: { method: string; headers?: Record<string, string>; body?: string },
    key = this.#key,
  ): Promise<JsonValue> {
    if (key !== null && !BEARER_CREDENTIAL.test(key)) throw new ServiceFault(NO_CREDENTIAL);
    const authorization: Record<string, string> = key === null ? {} : { authorization: `Bearer ${key}` };
    const headers = { ...init.headers, ...authorization };
    // Sends cookies and client certificates only to this host: a sign-on proxy in front may need them.
    const response = await fetch(path, { ...init, headers, credentials: 'same-origin', ...UNCACHED }).catch(() => {
      throw new ServiceFault('The service gave no answer.');
    });
    const answer = (await response.json().catch(() => null)) as JsonValue;
    if (response.ok) return answer;
    throw serviceFault(response.status, answer);
  }
}

/** Visible ASCII: the service accepts no space in a Bearer credential, and browsers send other characters as Latin-1 or not at all. */
const BEARER_CREDENTIAL = /^[\x21-\x7e]+$/;
const NO_CREDENTIAL =
  'The key has a space, an invisible character or one outside ASCII, which the page cannot send as a Bearer credential. Type it again. Nothing was sent.';

function serviceFault(status: number, problem: JsonValue): ServiceFault {
  const member = (name: string) => {
    const value = typeof problem === 'object' && problem !== null ? (problem as JsonObject)[name] : null;
    return typeof value === 'string' ? value : null;
  };
  const message = member('detail') ?? member('title') ?? `The service answered with status ${status}.`;
  return new ServiceFault(message, { status, code: member('code'), pointer: member('pointer') });
}

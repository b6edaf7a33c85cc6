import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createVeriteeClient, type VeriteeClientOptions } from '../../../src/relying-party/veritee-client.js';
import { AUDIENCE, CLAIMS, NONCE, OPTIONS, receiptWith, SHA256 } from './sample-receipt.js';

const BODY = { evidence: { type: 'tdx', quote: 'AAAA' } } as const;
const KEY = 'k'.repeat(43);

interface Sent {
  readonly url: string;
  readonly init: RequestInit;
  readonly body: unknown;
}

let sent: Sent[] = [];
let answers: object = {};

const options = (members: object = {}): VeriteeClientOptions =>
  ({
    ...OPTIONS,
    url: 'https://ask.example/under/',
    fetch: async (url: string, init: RequestInit) => {
      sent.push({ url, init, body: JSON.parse(String(init.body)) });
      return new Response(JSON.stringify(answers));
    },
    ...members,
  }) as unknown as VeriteeClientOptions;

const client = (members: object = {}) => createVeriteeClient(options(members));

afterEach(() => {
  sent = [];
  answers = {};
});

describe('createVeriteeClient', () => {
  it.each([
    ['no url', { url: undefined }, 'url is no URL'],
    ['a url of plain http', { url: 'http://ask.example' }, 'url is not an https URL'],
    ['a key with a line end', { apiKey: `${KEY}\n` }, 'apiKey is no API key'],
    ['an empty key', { apiKey: '' }, 'apiKey is no API key'],
    ['no time', { timeoutMs: 0 }, 'timeoutMs is not between'],
    ['time without end', { timeoutMs: Number.POSITIVE_INFINITY }, 'timeoutMs is not between'],
    ['time as text', { timeoutMs: '5' }, 'timeoutMs is not between'],
    ['no audience', { audience: '' }, 'audience is missing'],
    ['an option that is not known', { apikey: KEY }, '"apikey" is not known'],
  ])('GAT-01 is not made with %s', (_what, members, message) => {
    expect(() => client(members)).toThrow(
      expect.objectContaining({ name: 'TypeError', message: expect.stringContaining(message) }),
    );
  });

  it.each(['document', 'WorkerGlobalScope'])('is not made in a browser, which has %s', (name) => {
    Object.defineProperty(globalThis, name, { value: {}, configurable: true });
    try {
      expect(() => client()).toThrow('createVeriteeClient does not work in a browser');
    } finally {
      Reflect.deleteProperty(globalThis, name);
    }
  });
});

describe('challenge', () => {
  beforeEachAnswer({ nonce: NONCE, expiresAt: '2026-01-15T12:05:00Z' });

  it('is asked for what the client accepts', async () => {
    expect(await client({ apiKey: KEY }).challenge()).toEqual({ nonce: NONCE, expiresAt: '2026-01-15T12:05:00Z' });
    expect(sent).toMatchObject([
      {
        url: 'https://ask.example/under/challenges',
        body: { audience: AUDIENCE, policy: 'payments', evidenceType: 'az-snp-vtpm' },
        init: {
          method: 'POST',
          redirect: 'error',
          credentials: 'omit',
          cache: 'no-store',
          headers: { authorization: `Bearer ${KEY}` },
        },
      },
    ]);
  });

  it('is of no single policy or type where there are several', async () => {
    await client({ policies: [{ id: 'a' }, { id: 'b' }], evidenceTypes: ['snp', 'tdx'] }).challenge();
    expect(sent.map(({ body }) => body)).toEqual([{ audience: AUDIENCE }]);
  });
});

describe('verify', () => {
  const ALLOW = { decision: 'allow', historical: false, receipt: receiptWith() };

  it('sends what the client accepts, whatever the body says of it', async () => {
    answers = ALLOW;
    const theirs = {
      nonce: 'AAAAAAAAAAA',
      policy: 'lenient',
      audience: 'https://other.example',
      at: '2020-01-01T00:00:00Z',
    };
    const verified = await client().verify({ ...BODY, ...theirs }, { nonce: NONCE, expiresAt: 'unused' });
    expect(verified).toMatchObject({ decision: 'allow', decisionId: CLAIMS.jti });
    expect(sent.map(({ url, body }) => [url, body])).toEqual([
      ['https://ask.example/under/verify', { ...BODY, nonce: NONCE, policy: ['payments'], audience: AUDIENCE }],
    ]);
    expect(sent[0]?.init.headers).not.toHaveProperty('authorization');
  });

  it.each([
    ['none', null],
    ['the answer as text', JSON.stringify(ALLOW)],
    ['true', true],
  ])('GAT-01 takes an allow without a receipt for none: %s', async (_what, receipt) => {
    answers = { ...ALLOW, receipt };
    await expect(client().verify(BODY, { nonce: NONCE })).rejects.toMatchObject({ code: 'receipt_form' });
  });

  it('takes no answer that was signed more than a minute before it was asked for', async () => {
    const times = { iat: CLAIMS.iat - 1, nbf: CLAIMS.nbf - 1, exp: CLAIMS.exp - 1 };
    answers = { ...ALLOW, receipt: receiptWith(times) };
    await expect(client().verify(BODY, { nonce: NONCE })).rejects.toMatchObject({ code: 'receipt_time' });
  });

  it('accepts one nonce once', async () => {
    answers = ALLOW;
    const once = client();
    await once.verify(BODY, { nonce: NONCE });
    await expect(once.verify(BODY, { nonce: NONCE })).rejects.toMatchObject({ code: 'receipt_nonce' });
  });

  it('demands a bound key where one is needed', async () => {
    answers = { ...ALLOW, receipt: receiptWith({ cnf: undefined }) };
    await expect(client().verify(BODY, { nonce: NONCE, boundKey: 'required' })).rejects.toMatchObject({
      code: 'receipt_binding',
    });
  });

  it.each([
    ['no body', undefined],
    ['a text', JSON.stringify(BODY)],
    ['the evidence alone', BODY.evidence],
    ['evidence as text', { evidence: 'AAAA' }],
  ])('GAT-01 sends nothing where it is called with %s', async (_what, body) => {
    await expect(client().verify(body as never, { nonce: NONCE })).rejects.toMatchObject({
      name: 'TypeError',
      message: expect.stringContaining('the body has no evidence'),
    });
    expect(sent).toEqual([]);
  });

  it('GAT-01 sends nothing without the nonce of a challenge', async () => {
    await expect(client().verify(BODY, {} as never)).rejects.toMatchObject({ name: 'TypeError' });
    expect(sent).toEqual([]);
  });

  it('acts on an allow, and never else', async () => {
    answers = ALLOW;
    expect(await client().whenAllowed(BODY, { nonce: NONCE }, ({ policies }) => policies)).toEqual([
      { id: 'payments', sha256: SHA256 },
    ]);
    let acted = false;
    const action = () => {
      acted = true;
    };
    answers = { decision: 'deny', reasons: ['nonce_mismatch'] };
    const refused = client().whenAllowed(BODY, { nonce: NONCE }, action);
    await expect(refused).rejects.toMatchObject({ name: 'NotAllowedError', reasons: ['nonce_mismatch'] });
    await expect(client().whenAllowed(BODY, { nonce: NONCE }, null as never)).rejects.toMatchObject({
      name: 'TypeError',
    });
    expect(acted).toBe(false);
  });

  it('LOG-01 says nothing of the key where the service cannot be reached', async () => {
    const fetch = () => Promise.reject(new Error('out of reach'));
    const error = await client({ apiKey: KEY, fetch })
      .verify(BODY, { nonce: NONCE })
      .catch((cause: Error) => cause);
    expect(error).toMatchObject({ name: 'ServiceError', code: 'no_answer', status: null });
    expect(String((error as Error).stack)).not.toContain(KEY);
  });
});

describe('verifyAll', () => {
  const nonceOf = (index: number) => Buffer.alloc(32, index + 10).toString('base64url');
  const requestsOf = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ body: BODY, demand: { nonce: nonceOf(index) } }));

  /** Answers an allow for the nonce of the request, unless `refused` has its index; notes how many are in flight. */
  function service({ refused = [] as readonly number[], hold = async (_index: number) => {} } = {}) {
    const seen = { inFlight: 0, most: 0, asked: [] as number[] };
    const fetch = async (_url: string, init: RequestInit) => {
      const index = (Buffer.from(JSON.parse(String(init.body)).nonce, 'base64url')[0] ?? 0) - 10;
      seen.asked.push(index);
      seen.inFlight += 1;
      seen.most = Math.max(seen.most, seen.inFlight);
      await new Promise(setImmediate);
      await hold(index);
      seen.inFlight -= 1;
      const allow = { decision: 'allow', historical: false, receipt: receiptWith({ eat_nonce: nonceOf(index) }) };
      return new Response(
        JSON.stringify(refused.includes(index) ? { decision: 'deny', reasons: ['nonce_used'] } : allow),
      );
    };
    return { fetch, seen };
  }

  it.each([
    [undefined, 4],
    [{}, 4],
    [{ atOnce: 1 }, 1],
    [{ atOnce: 3 }, 3],
    [{ atOnce: 100 }, 9],
  ])('with %j has at most %d requests in flight', async (given, most) => {
    const { fetch, seen } = service();
    const results = await client({ fetch }).verifyAll(requestsOf(9), given);
    expect(results.map(({ status }) => status)).toEqual(Array(9).fill('fulfilled'));
    expect(seen.most).toBe(most);
  });

  it('GAT-01 has the result of each request at its place, and an error changes no other', async () => {
    // The first is answered last.
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const hold = async (index: number) => (index === 0 ? held : index === 5 ? release() : undefined);
    const { fetch } = service({ refused: [1], hold });
    const requests: unknown[] = requestsOf(6);
    requests[2] = { body: BODY.evidence, demand: { nonce: nonceOf(2) } };
    requests[3] = null;
    requests[4] = { body: BODY, demand: { nonce: nonceOf(4) }, nonce: nonceOf(4) };
    const results = await client({ fetch }).verifyAll(requests as never);
    expect(results).toMatchObject([
      { status: 'fulfilled', value: { decision: 'allow' } },
      { status: 'rejected', reason: { name: 'NotAllowedError', reasons: ['nonce_used'] } },
      { status: 'rejected', reason: { name: 'TypeError', message: expect.stringContaining('has no evidence') } },
      { status: 'rejected', reason: { name: 'TypeError', message: expect.stringContaining('a request: expected') } },
      { status: 'rejected', reason: { name: 'TypeError', message: expect.stringContaining('"nonce" is not known') } },
      { status: 'fulfilled', value: { decision: 'allow' } },
    ]);
  });

  it('GAT-01 accepts one nonce once among its requests', async () => {
    const [request] = requestsOf(1);
    const results = await client({ fetch: service().fetch }).verifyAll([request, request] as never);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(results).toContainEqual({ status: 'rejected', reason: expect.objectContaining({ code: 'receipt_nonce' }) });
  });

  it('stops once its signal is aborted, and keeps the results that are there', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    // A fetch that does not heed its signal.
    const hold = (index: number) => {
      if (index === 2) controller.abort(reason);
      return index === 0 ? Promise.resolve() : new Promise<void>(() => {});
    };
    const { fetch, seen } = service({ hold });
    const results = await client({ fetch }).verifyAll(requestsOf(6), { atOnce: 2, signal: controller.signal });
    expect(results).toEqual([
      expect.objectContaining({ status: 'fulfilled' }),
      ...Array(5).fill({ status: 'rejected', reason }),
    ]);
    expect(seen.asked).toEqual([0, 1, 2]);
  });

  it('ends the exchanges in flight once its signal is aborted', async () => {
    const controller = new AbortController();
    const ended: boolean[] = [];
    const fetch = (_url: string, { signal }: RequestInit) =>
      new Promise<Response>((_, reject) => {
        signal?.addEventListener('abort', () => {
          ended.push(true);
          reject(signal.reason);
        });
        controller.abort();
      });
    await client({ fetch }).verifyAll(requestsOf(1), { signal: controller.signal });
    expect(ended).toEqual([true]);
  });

  it('sends nothing where its signal was aborted before', async () => {
    const { fetch, seen } = service();
    const results = await client({ fetch }).verifyAll(requestsOf(2), { signal: AbortSignal.abort() });
    expect(results).toMatchObject(Array(2).fill({ status: 'rejected', reason: { name: 'AbortError' } }));
    expect(seen.asked).toEqual([]);
  });

  it('has no results where there are no requests', async () => {
    expect(await client().verifyAll([])).toEqual([]);
  });

  it.each([
    ['no list', { length: 1 }, {}, 'requests is no list'],
    ['no request at a time', [], { atOnce: 0 }, 'atOnce is not a positive integer'],
    ['half a request', [], { atOnce: 1.5 }, 'atOnce is not a positive integer'],
    ['a number as text', [], { atOnce: '4' }, 'atOnce is not a positive integer'],
    ['requests without bound', [], { atOnce: Number.POSITIVE_INFINITY }, 'atOnce is not a positive integer'],
    ['a controller', [], { signal: new AbortController() }, 'signal is not an AbortSignal'],
    ['an option that is not known', [], { atonce: 4 }, '"atonce" is not known'],
    ['no options', [], null, 'the second argument: expected'],
  ])('sends nothing where it is called with %s', async (_what, requests, given, message) => {
    await expect(client().verifyAll(requests as never, given as never)).rejects.toMatchObject({
      name: 'TypeError',
      message: expect.stringContaining(message),
    });
    expect(sent).toEqual([]);
  });
});

function beforeEachAnswer(answer: object): void {
  beforeEach(() => {
    answers = answer;
  });
}

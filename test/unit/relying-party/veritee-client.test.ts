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

function beforeEachAnswer(answer: object): void {
  beforeEach(() => {
    answers = answer;
  });
}

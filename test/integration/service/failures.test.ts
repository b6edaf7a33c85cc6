import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EndorsementSource } from '../../../src/core/endorsement.js';
import type { EvidenceVerifier, Verification } from '../../../src/core/verification.js';
import { base64Url, call, LabService, lenientPolicy, NONCE, sha256Hex as sha256Of, verdictOf } from './lab-service.js';

const SECRET = 'what the verifier choked on';

let lab: LabService;
const unhandled = vi.fn();

beforeAll(async () => {
  lab = await LabService.create();
  await lab.writePolicy(lenientPolicy('lenient'));
  process.on('unhandledRejection', unhandled);
});

beforeEach(() => unhandled.mockReset());

afterAll(async () => {
  process.removeListener('unhandledRejection', unhandled);
  await lab.close();
});

/** The result of a verifier that verified nothing. */
const NOTHING = { checks: [], required: [], claims: {}, endorsements: [], bound: [], validUntil: null };

/** A service whose verifier does what it is told. */
function startWith(verify: () => unknown, data: string, keys: { readonly deadlineSeconds?: number } = {}) {
  const verifier = {
    evidenceType: 'az-snp-vtpm',
    // The test needs a result that a verifier must not return.
    open: () => ({ needs: [], verify: () => verify() as Promise<Verification> }),
  } satisfies EvidenceVerifier<'az-snp-vtpm'>;
  return lab.start(
    keys,
    {
      replaced: { verifiers: new Map([['az-snp-vtpm', verifier]]) },
    },
    data,
  );
}

const askLeniently = { members: { policy: ['lenient', 'azure-cvm-baseline'] } };

describe('a verifier', () => {
  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error(SECRET);
      },
    ],
    ['rejects', () => Promise.reject(new Error(SECRET))],
    ['rejects with something that is no error', () => Promise.reject(SECRET)],
    ['returns undefined', () => undefined],
    ['resolves to undefined', () => Promise.resolve(undefined)],
    ['resolves to null', () => Promise.resolve(null)],
    ['resolves to something else', () => Promise.resolve({ decision: 'allow' })],
    ['resolves to a verification of nothing', () => Promise.resolve(NOTHING)],
  ])('DEC-09 that %s leaves the decision open, with internal_error', async (title, verify) => {
    const service = await startWith(verify, title.replaceAll(' ', '-'));
    const answer = await lab.verify(service, { ...askLeniently, query: '?enforce=true' });
    expect(answer.status).toBe(503);
    expect([answer.body.decision, answer.body.reasons]).toEqual(['indeterminate', ['internal_error']]);
    expect(answer.body.retryable).toBe(false);
    expect(answer.body.trust.status).toBe('none');
    expect(JSON.stringify(answer.body)).not.toContain(SECRET);
    expect((await call(service.url, '/livez')).status).toBe(200);
  });

  it.each<[string, () => unknown]>([
    ['never settles', () => new Promise(() => {})],
    ['rejects when it is too late', () => rejectingAfter(600)],
  ])('DEC-09 that %s is answered at the deadline', async (title, verify) => {
    const service = await startWith(verify, title.replaceAll(' ', '-'), { deadlineSeconds: 0.2 });
    const answer = await lab.verify(service, askLeniently);
    expect(verdictOf(answer)).toEqual(['indeterminate', 'deadline']);
    expect(answer.body.retryable).toBe(true);
    await rejectingAfter(800).catch(() => undefined);
    expect(unhandled).not.toHaveBeenCalled();
  });

  it('DEC-09 twin: the verifier of the service, in time, allows', async () => {
    expect(verdictOf(await lab.verify(await lab.start(), askLeniently))).toEqual(['allow']);
  });
});

describe('a source of endorsements', () => {
  const startWithSource = (source: EndorsementSource, data: string) =>
    lab.start({ deadlineSeconds: 0.2 }, { replaced: { endorsements: source } }, data);

  it('DEC-09 that throws leaves the decision open', async () => {
    const failing: EndorsementSource = { fetch: () => Promise.reject(new Error(SECRET)) };
    const service = await startWithSource(failing, 'source-throws');
    expect(verdictOf(await lab.verify(service, askLeniently))).toEqual(['indeterminate', 'internal_error']);
  });

  it('DEC-09 that hangs is told to end at the deadline, and the decision stays open', async () => {
    const ended = vi.fn();
    const hanging: EndorsementSource = {
      fetch: (_requests, { signal }) => {
        signal.addEventListener('abort', ended);
        return new Promise(() => {});
      },
    };
    const service = await startWithSource(hanging, 'source-hangs');
    expect(verdictOf(await lab.verify(service, askLeniently))).toEqual(['indeterminate', 'deadline']);
    expect(ended).toHaveBeenCalledTimes(1);
  });
});

describe('a past instant', () => {
  const at = new Date(Math.floor(Date.now() / 1000) * 1000 - 60_000).toISOString();
  const ago = { members: { at } };

  it('is refused where it is not enabled', async () => {
    const service = await lab.start({}, {}, 'not-historical');
    const answer = await lab.verify(service, ago);
    expect(verdictOf(answer)).toEqual([400, 'at_not_enabled']);
    expect(answer.body.pointer).toBe('/at');
  });

  it('is judged where it is enabled, but not in the future, and releases nothing', async () => {
    const service = await lab.start({ historical: true }, {}, 'historical');
    const answer = await lab.verify(service, ago);
    expect(verdictOf(answer)).toEqual(['allow']);
    expect(answer.body.historical).toBe(true);
    expect(Date.parse(answer.body.validUntil)).toBeLessThanOrEqual(Date.parse(at) + 300_000);
    expect((await lab.verify(service, { ...ago, query: '?enforce=true' })).status).toBe(403);
    const future = { members: { at: new Date(Date.now() + 3_600_000).toISOString() } };
    expect(verdictOf(await lab.verify(service, future))).toEqual([400, 'at_not_enabled']);
    const tooEarly = { members: { at: '2020-01-01T00:00:00Z' } };
    const early = await lab.verify(service, tooEarly);
    expect(early.body.decision).toBe('deny');
    expect(early.body.reasons).toContain('cert_validity');
  });

  it('uses no challenge up, and does not count as its use', async () => {
    const service = await lab.start({ historical: true }, {}, 'historical-challenges');
    const issued = await call(service.url, '/challenges', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    const nonce = Buffer.from(issued.body.nonce, 'base64url');
    const past = await lab.verify(service, { nonce, ...ago });
    expect(past.body.checks).toContainEqual(expect.objectContaining({ id: 'nonce_used', result: 'not_configured' }));
    expect(verdictOf(await lab.verify(service, { nonce }))).toEqual(['allow']);
  });

  it('is for callers with the role audit:read', async () => {
    const caller = (name: string, roles: readonly string[]) => [
      name,
      { apiKeySha256: sha256Of(`key-of-${name}`), expires: '2099-01-01', roles },
    ];
    const callers = Object.fromEntries([caller('verifier', ['verify']), caller('auditor', ['verify', 'audit:read'])]);
    const service = await lab.start({ historical: true, callers }, {}, 'audit');
    const as = (name: string) => ({ ...ago, headers: { authorization: `Bearer key-of-${name}` } });
    expect(verdictOf(await lab.verify(service, as('verifier')))).toEqual([403, 'forbidden']);
    expect(verdictOf(await lab.verify(service, as('auditor')))).toEqual(['allow']);
  });
});

describe('the output of the service', () => {
  it('LOG-01 has neither keys nor nonces nor evidence, at the finest level, and in no error', async () => {
    const apiKey = 'key-that-must-not-be-logged';
    const callers = { gate: { apiKeySha256: sha256Of(apiKey), expires: '2099-01-01', roles: ['verify', 'metrics'] } };
    const keys = { callers, log: { level: 'trace' } };
    const headers = { authorization: `Bearer ${apiKey}` };
    const nonce = NONCE.map((byte) => byte ^ 0x33);
    const evidence = lab.vm.evidence({ nonce });
    const before = lab.output.length;
    const sound = await lab.start(keys, {}, 'logged');
    const body = lab.verifyBody({ nonce });
    const send = (url: string, text: string, sent: Record<string, string> = headers) =>
      call(url, '/verify', { method: 'POST', headers: { 'content-type': 'application/json', ...sent }, body: text });
    const statuses = [
      await send(sound.url, body),
      await send(sound.url, body, { 'x-api-key': `${apiKey}x` }),
      await send(sound.url, body.slice(0, -1)),
      await send(sound.url, body.replace('"hclReport":"', '"hclReport":"*')),
      await lab.verify(sound, { nonce, members: { nonce: base64Url(NONCE) }, headers }),
      await call(sound.url, `/verify?nonce=${base64Url(nonce)}`, { headers }),
    ].map(({ status }) => status);
    expect(statuses).toEqual([200, 401, 400, 400, 200, 405]);
    const choking = await lab.start(
      keys,
      {
        replaced: { endorsements: { fetch: () => Promise.reject(new Error(`cannot use ${body} of ${apiKey}`)) } },
      },
      'logged-errors',
    );
    const choked = await send(choking.url, body);
    expect(verdictOf(choked)).toEqual(['indeterminate', 'internal_error']);
    const written = lab.output.slice(before);
    expect(written).toContain(`"decisionId":"${choked.body.decisionId}","msg":"verifier failed"`);
    expect(written.split('\n').length).toBeGreaterThan(7);
    const forms = (bytes: Uint8Array) => ['base64url', 'base64', 'hex'].map((form) => encoded(bytes, form));
    const secrets = [
      apiKey,
      sha256Of(apiKey),
      ...[nonce, NONCE].flatMap(forms),
      ...[evidence.hclReport.subarray(32, 80), evidence.tpmQuote.message.subarray(0, 48)].flatMap(forms),
      encoded(evidence.hclReport, 'base64url').slice(2000, 2040),
      encoded(evidence.tpmQuote.signature, 'base64url').slice(20, 60),
    ];
    expect(secrets.filter((secret) => written.toLowerCase().includes(secret.toLowerCase()))).toEqual([]);
  });
});

function encoded(bytes: Uint8Array, form: string): string {
  return Buffer.from(bytes).toString(form as BufferEncoding);
}

function rejectingAfter(milliseconds: number): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error(SECRET)), milliseconds);
  });
}

import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { JsonObject } from '../../../src/core/json.js';
import type { SubmissionResult } from '../../../src/core/verification.js';
import { answersCall } from '../../../src/judge/submit.js';
import { OPEN_MS, submission } from './azure-lab.js';
import { attestTd, bareTd, POLICY, TrustAuthorityLab } from './trust-authority-lab.js';

const ATTEST = '/appraisal/v2/attest';
const never = new AbortController().signal;

let lab: TrustAuthorityLab;

beforeAll(async () => {
  lab = await TrustAuthorityLab.start();
});

beforeEach(() => lab.heal());

afterAll(() => lab.close());

function made(result: SubmissionResult) {
  if (!('token' in result)) throw new Error(`no token: ${JSON.stringify(result)}`);
  return result;
}

/** Claims of a token that the lab answered. They are not verified: what is looked at is what was sent. */
function claimsOf(result: SubmissionResult): JsonObject {
  return JSON.parse(Buffer.from(made(result).token.split('.')[1] ?? '', 'base64url').toString('utf8'));
}

describe('what is sent to Trust Authority', () => {
  it('is TDX evidence alone', async () => {
    const { service } = lab.open();
    expect(service.route).toBe('ita');
    expect([bareTd(), submission()].map((one) => service.accepts(one))).toEqual([true, false]);
    await expect(service.attest(submission(), never)).rejects.toThrow('TDX evidence only');
    expect(lab.ita.requests).toEqual([]);
  });

  it('is the quote of a bare TD, and what it is judged by', async () => {
    const evidence = bareTd();
    const opened = lab.open({ policyIds: [POLICY], signingAlgorithm: 'RS256' });
    const claims = claimsOf(await opened.service.attest(evidence, never));
    expect(lab.ita.received).toMatchObject([{ method: 'POST', url: ATTEST }]);
    expect(JSON.parse(lab.ita.received[0]?.body ?? '')).toEqual({
      policy_ids: [POLICY],
      policy_must_match: false,
      token_signing_alg: 'RS256',
      tdx: { quote: Buffer.from(evidence.quote).toString('base64') },
    });
    expect(claims).toMatchObject({
      policy_ids_matched: [{ id: POLICY, version: 'v1' }],
      tdx: { tdx_mrtd: 'd1'.repeat(48), tdx_report_data: expect.stringMatching(/^4041/) },
    });
  });

  it('is the quote alone of a bare TD with runtime data, of which the quote holds another hash', async () => {
    expect(claimsOf(await lab.open().service.attest(bareTd('nonce'), never))['tdx']).not.toHaveProperty(
      'attester_runtime_data',
    );
    expect(lab.ita.requests).toEqual([ATTEST]);
  });

  it('is the quote of an Azure TD and the runtime claims of its paravisor', async () => {
    const evidence = lab.azureTd();
    const claims = claimsOf(await lab.open().service.attest(evidence, never));
    expect(lab.ita.requests).toEqual([`${ATTEST}/azure`]);
    const runtime = JSON.parse(Buffer.from(evidence.runtimeData ?? []).toString());
    expect(claims['tdx']).toMatchObject({ attester_runtime_data: runtime, tdx_mrtd: 'c4'.repeat(48) });
  });
});

describe('the API key', () => {
  it('goes along, and into no log and no answer', async () => {
    const opened = lab.open();
    await attestTd(opened);
    expect(lab.ita.received[0]?.headers['x-api-key']).toBe(lab.ita.apiKey);
    lab.ita.fail(/./, { status: 500, body: { error: lab.ita.apiKey } });
    const result = await attestTd(opened);
    expect(opened.log.entries).toHaveLength(1);
    expect(JSON.stringify([result, opened.log.entries])).not.toContain(lab.ita.apiKey);
  });

  it('is read again for each submission', async () => {
    const opened = lab.open();
    await lab.writeKey('b3RoZXI=');
    expect(await attestTd(opened)).toMatchObject({ code: 'route_unavailable', retryable: false });
    await lab.writeKey(lab.ita.apiKey);
    expect(await attestTd(opened)).toHaveProperty('token');
  });

  it.each([
    ['empty', ''],
    ['two lines', 'c2VzYW1l\nc2VzYW1l'],
    ['no header', 'sésame'],
    ['without an end', 'c2VzYW1l'.repeat(1000)],
  ])('that is %s is not sent', async (_, content) => {
    await lab.writeKey(content);
    const opened = lab.open();
    const result = await attestTd(opened);
    expect(result).toEqual({
      code: 'route_unavailable',
      detail: 'Trust Authority: the API key cannot be used',
      retryable: false,
    });
    expect(lab.ita.requests).toEqual([]);
    expect(JSON.stringify(opened.log.entries)).toContain('does not hold a key');
    if (content !== '') expect(JSON.stringify([result, opened.log.entries])).not.toContain(content.slice(0, 8));
  });

  it('whose file is not there is none, and the log names the file', async () => {
    const opened = lab.open({ apiKeyFile: `${lab.keyFile}-elsewhere` });
    const result = await attestTd(opened);
    expect(result).toMatchObject({ code: 'route_unavailable', retryable: false });
    expect(JSON.stringify(result)).not.toContain('elsewhere');
    expect(JSON.stringify(opened.log.entries)).toContain('key-elsewhere');
  });
});

describe('a token answers the call', () => {
  const second = (date: Date) => Math.floor(date.getTime() / 1000);
  const answers = (result: SubmissionResult, claims: JsonObject) => answersCall(claims, made(result).expected);

  it('that was issued after it, by the leeway of clocks', async () => {
    const asked = second(lab.clock.now());
    const result = await attestTd(lab.open({ leewaySeconds: 5 }));
    expect(answers(result, claimsOf(result))).toBe(true);
    expect([-6, -5, 0, 30].map((after) => answers(result, { iat: asked + after }))).toEqual([false, true, true, true]);
    expect([{}, { iat: null }, { iat: String(asked) }].map((claims) => answers(result, claims))).toEqual([
      false,
      false,
      false,
    ]);
  });
});

describe('a refusal', () => {
  it('is no token where policies have to match', async () => {
    lab.ita.alter({ policies: { unmatched: [POLICY] } });
    const result = await attestTd(lab.open({ policyIds: [POLICY], policyMustMatch: true }));
    expect(result).toEqual({ refused: expect.stringMatching(/^Intel Trust Authority issues no token/) });
  });

  it.each([400, 422])('is any status %i where policies have to match, whatever its text', async (status) => {
    lab.ita.fail(/./, { status, body: { error: 'sesame' } });
    const result = await attestTd(lab.open({ policyIds: [POLICY], policyMustMatch: true }));
    expect(result).toEqual({ refused: expect.stringMatching(/^Intel Trust Authority issues no token/) });
  });

  it.each(['Invalid nonce and/or run time data', 'sesame: the quote does not verify'])(
    'TOK-26 is a 400 about the quote: %s',
    async (error) => {
      lab.ita.fail(/./, { status: 400, body: { error } });
      const opened = lab.open({ policyIds: [POLICY] });
      const result = await attestTd(opened);
      expect(result).toEqual({ refused: expect.stringMatching(/^Intel Trust Authority refuses the quote/) });
      expect(JSON.stringify([result, opened.log.entries])).not.toContain('sesame');
    },
  );

  it('TOK-26 is no other 400, where policies need not match', async () => {
    lab.ita.fail(/./, { status: 400, body: { error: 'sesame: this version is retired' } });
    const opened = lab.open({ policyIds: [POLICY] });
    const result = await attestTd(opened);
    expect(result).toMatchObject({ code: 'route_unavailable', retryable: false });
    expect(JSON.stringify([result, opened.log.entries])).not.toContain('sesame');
  });

  it.each([401, 403, 404])('is none with status %i, also where policies have to match', async (status) => {
    lab.ita.fail(/./, { status, body: {} });
    const result = await attestTd(lab.open({ policyMustMatch: true }));
    expect(result).toMatchObject({ code: 'route_unavailable', retryable: false });
  });
});

describe('an answer is no token', () => {
  it.each([
    ['no member token', { result: 'x' }],
    ['another type', { token: 7 }],
    ['an empty text', { token: '' }],
    ['a list', [{ token: 'x' }]],
    ['more than 64 KiB', { token: 'x'.repeat(64 * 1024 - '{"token":""}'.length + 1) }],
  ])('with %s', async (_what, body) => {
    lab.ita.fail(/./, { status: 200, body });
    expect(await attestTd(lab.open())).toMatchObject({ code: 'route_unavailable', retryable: true });
  });

  it('though one of just 64 KiB is', async () => {
    const token = 'x'.repeat(64 * 1024 - '{"token":""}'.length);
    lab.ita.fail(/./, { status: 200, body: { token } });
    expect(await attestTd(lab.open())).toMatchObject({ token });
  });
});

describe('limits', () => {
  it('a service that keeps failing is left out, and comes back', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    lab.ita.fail(/./, { status: 500 });
    const opened = lab.open();
    for (let call = 0; call < 5; call += 1) await attestTd(opened);
    vi.setSystemTime(Date.now() + OPEN_MS - 1);
    expect(await attestTd(opened)).toMatchObject({ detail: expect.stringContaining('several times in a row') });
    expect(lab.ita.count()).toBe(5);
    await lab.heal();
    vi.setSystemTime(Date.now() + 1);
    expect(await attestTd(opened)).toHaveProperty('token');
  });

  it('more than are let in at a time are refused', async () => {
    lab.ita.fail(/./, 'half_open');
    const opened = lab.open({ turns: { concurrent: 1, queued: 0 } });
    const deadline = new AbortController();
    const first = attestTd(opened, deadline.signal);
    expect(await attestTd(opened)).toMatchObject({ code: 'route_unavailable', retryable: true });
    deadline.abort();
    expect(await first).toMatchObject({ code: 'route_unavailable' });
  });

  it('REL-08 another caller has its turn before those of one that asks for many', async () => {
    lab.ita.fail(/./, 'half_open', 1);
    const { service } = lab.open({ turns: { concurrent: 1, queued: 2 } });
    const left = new AbortController();
    const done: string[] = [];
    const ask = async (principal: string, name: string, signal = never) => {
      const answer = await service.attest(bareTd(), signal, principal);
      done.push(name);
      return answer;
    };
    const first = ask('many', 'first', left.signal);
    await expect.poll(() => lab.ita.count(), { timeout: 20_000 }).toBe(1);
    const [second, third, other] = [ask('many', 'second'), ask('many', 'third'), ask('few', 'other')];
    expect(await third).toMatchObject({ code: 'route_unavailable', retryable: true });
    left.abort();
    expect(await first).toMatchObject({ code: 'route_unavailable' });
    expect([await other, await second]).toEqual([
      expect.objectContaining({ token: expect.any(String) }),
      expect.objectContaining({ token: expect.any(String) }),
    ]);
    expect(done).toEqual(['third', 'first', 'other', 'second']);
  });

  it('nothing is sent when no time is left', async () => {
    expect(await attestTd(lab.open(), AbortSignal.abort())).toMatchObject({ code: 'route_unavailable' });
    expect(lab.ita.requests).toEqual([]);
  });

  it('sockets end with the request', async () => {
    lab.ita.fail(/./, 'drip');
    const deadline = new AbortController();
    const outcome = attestTd(lab.open(), deadline.signal);
    await expect.poll(() => lab.ita.count(), { timeout: 20_000 }).toBe(1);
    deadline.abort();
    await outcome;
    await expect.poll(() => lab.ita.openConnections, { timeout: 20_000 }).toBe(0);
  });
});

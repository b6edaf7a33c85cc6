import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { JsonValue } from '../../../src/core/json.js';
import type { SubmissionResult } from '../../../src/core/verification.js';
import { answersCall } from '../../../src/judge/submit.js';
import {
  AzureLab,
  attest,
  claimsOf,
  OPEN_MS,
  type Opened,
  RUNTIME_BYTES,
  submission,
  tdSubmission,
} from './azure-lab.js';

const ATTEST = /^\/attest\/SevSnpVm\?api-version=2025-06-01$/;

let lab: AzureLab;

beforeEach(async () => {
  lab = await AzureLab.start();
});

afterEach(async () => {
  await lab.close();
});

const two = (): Promise<Opened> => lab.open({ endpoints: [lab.maa.origin, lab.other.origin] });
const never = new AbortController().signal;

/** Whether a token with this claim `nonce` is the answer. */
function answers(result: SubmissionResult, nonce: unknown): boolean {
  if (!('token' in result)) throw new Error(`no token: ${JSON.stringify(result)}`);
  return answersCall(nonce === undefined ? {} : { nonce: nonce as JsonValue }, result.expected);
}

describe('what is sent to Azure Attestation', () => {
  it('is what the service judges: report, certificates, runtime data and a nonce that comes back', async () => {
    const result = await attest(await lab.open());
    expect(lab.maa.requests).toEqual([expect.stringMatching(ATTEST)]);
    expect(claimsOf(result)).toMatchObject({
      iss: lab.maa.origin,
      'x-ms-attestation-type': 'sevsnpvm',
      'x-ms-runtime': { nonce: 'AAECAwQFBgcICQ' },
    });
    expect(answers(result, JSON.parse(lab.maa.received[0]?.body ?? '').nonce)).toBe(true);
  });

  it('is answered by a token with that very nonce, and by no other', async () => {
    const opened = await lab.open();
    const [first, second] = [await attest(opened), await attest(opened)];
    expect(answers(first, claimsOf(first)['nonce'])).toBe(true);
    for (const nonce of [claimsOf(second)['nonce'], undefined, null, 7]) expect(answers(first, nonce)).toBe(false);
  });

  it('is sent in the version of the interface that is configured', async () => {
    await attest(await lab.open({ apiVersion: '2022-08-01' }));
    expect(lab.maa.requests).toEqual(['/attest/SevSnpVm?api-version=2022-08-01']);
  });

  it('of a TD is the quote as it is, runtime data and a nonce, at its own operation', async () => {
    const evidence = tdSubmission();
    const result = await (await lab.open()).service.attest(evidence, never);
    expect(lab.maa.requests).toEqual(['/attest/TdxVm?api-version=2025-06-01']);
    const sent = JSON.parse(lab.maa.received[0]?.body ?? '');
    expect(Object.keys(sent)).toEqual(['quote', 'runtimeData', 'nonce']);
    expect(Buffer.from(sent.quote, 'base64url')).toEqual(Buffer.from(evidence.quote));
    expect(claimsOf(result)).toMatchObject({
      'x-ms-attestation-type': 'tdxvm',
      'x-ms-runtime': { nonce: 'AAECAwQFBgcICQ' },
      tdx_mrtd: 'd1'.repeat(48),
      nonce: sent.nonce,
    });
  });

  it.each([RUNTIME_BYTES, null])('of a TD has runtime data only as it came: %o', async (runtimeData) => {
    const result = await (await lab.open()).service.attest(tdSubmission(runtimeData), never);
    expect(claimsOf(result)).not.toHaveProperty('x-ms-runtime');
  });

  it('has runtime data as bytes where they are no JSON object', async () => {
    const result = await (await lab.open()).service.attest(submission(RUNTIME_BYTES), never);
    expect(claimsOf(result)).not.toHaveProperty('x-ms-runtime');
    expect(JSON.parse(lab.maa.received[0]?.body ?? '')).toMatchObject({ runtimeData: { dataType: 'Binary' } });
  });

  it('has no runtime data where the evidence has none', async () => {
    expect(await (await lab.open()).service.attest(submission(null), never)).toHaveProperty('token');
    expect(JSON.parse(lab.maa.received[0]?.body ?? '')).not.toHaveProperty('runtimeData');
  });

  it('has another nonce each time', async () => {
    const opened = await lab.open();
    const nonces = [claimsOf(await attest(opened))['nonce'], claimsOf(await attest(opened))['nonce']];
    expect(new Set(nonces).size).toBe(2);
  });

  it('carries no access token where no credential is configured', async () => {
    await attest(await lab.open());
    expect(lab.maa.received[0]?.headers).not.toHaveProperty('authorization');
    expect(lab.entra.requests).toEqual([]);
  });

  it('goes to the configured endpoints alone: evidence never leaves otherwise', async () => {
    await attest(await lab.open());
    expect(lab.other.requests).toEqual([]);
    lab.maa.fail(/./, 'redirect');
    expect(await attest(await lab.open())).toMatchObject({ code: 'route_unavailable' });
    expect([lab.other.requests, lab.entra.requests]).toEqual([[], []]);
  });

  it('goes nowhere before there is something to submit', async () => {
    const { service } = await lab.open();
    expect(service).toMatchObject({ route: 'maa' });
    expect([submission(), tdSubmission()].map((one) => service.accepts(one))).toEqual([true, true]);
    expect(lab.maa.requests).toEqual([]);
  });
});

describe('a refusal', () => {
  const refusal = (body: object) => ({ status: 400, body: JSON.parse(JSON.stringify(body)) });

  it.each([
    { error: { code: 'PolicyEvaluationError', message: 'Native operation failed' } },
    { Error: { Code: 'PolicyEvaluationError', Message: 'Native operation failed' } },
  ])('is the policy of the instance saying no: %j', async (body) => {
    lab.maa.fail(ATTEST, refusal(body));
    const result = await attest(await two());
    expect(result).toEqual({ refused: expect.stringMatching(/does not allow it$/) });
  });

  it.each(['InvalidParameter', 'InvalidOperation'])('TOK-26 is what %s says of the evidence', async (code) => {
    lab.maa.fail(ATTEST, refusal({ error: { code, message: 'sesame' } }));
    const result = await attest(await two());
    expect(result).toEqual({ refused: `Azure Attestation refuses the evidence (${code})` });
    expect(lab.other.requests).toEqual([]);
  });

  it('TOK-26 is nothing that a version of the interface gets, which is retired', async () => {
    const result = await attest(await lab.open({ apiVersion: '2019-01-01' }));
    expect(result).toMatchObject({ code: 'route_unavailable', retryable: false });
  });

  it('ends it: the next endpoint is not asked for another opinion', async () => {
    lab.maa.fail(ATTEST, refusal({ error: { code: 'PolicyEvaluationError' } }));
    expect(await attest(await two())).toHaveProperty('refused');
    expect(lab.other.requests).toEqual([]);
  });

  it.each([
    ['another code', refusal({ error: { code: 'PolicyParsingError', message: 'sesame' } })],
    ['no code', refusal({})],
    ['the code at another place', refusal({ code: 'PolicyEvaluationError' })],
    ['the code under another status', { status: 403, body: { error: { code: 'PolicyEvaluationError' } } }],
  ])('is nothing with %s', async (_what, fault) => {
    lab.maa.fail(ATTEST, fault);
    const opened = await lab.open();
    const result = await attest(opened);
    expect(result).toMatchObject({ code: 'route_unavailable', retryable: false });
    expect(JSON.stringify([result, opened.log.entries])).not.toContain('sesame');
  });

  it('TOK-26 is what a tampered report gets', async () => {
    const evidence = submission();
    const report = evidence.report.map((byte, index) => (index === 0x90 ? byte ^ 1 : byte));
    const result = await (await lab.open()).service.attest({ ...evidence, report }, never);
    expect(result).toHaveProperty('refused');
  });
});

describe('an answer is no token', () => {
  it.each([
    ['no member token', { result: 'x' }],
    ['another type', { token: 7 }],
    ['an empty text', { token: '' }],
    ['a list', [{ token: 'x' }]],
    ['a token over 64 KiB', { token: 'x'.repeat(64 * 1024 + 1) }],
    ['an answer over 128 KiB', { token: 'x', more: 'x'.repeat(128 * 1024) }],
  ])('with %s', async (_what, body) => {
    lab.maa.fail(ATTEST, { status: 200, body });
    expect(await attest(await lab.open())).toMatchObject({ code: 'route_unavailable', retryable: true });
  });

  it('though one of just 64 KiB is', async () => {
    const token = 'x'.repeat(64 * 1024);
    lab.maa.fail(ATTEST, { status: 200, body: { token } });
    expect(await attest(await lab.open())).toMatchObject({ token });
  });
});

describe('several endpoints', () => {
  it('are asked in order, the first one that answers is the last', async () => {
    expect(claimsOf(await attest(await two()))).toMatchObject({ iss: lab.maa.origin });
    expect(lab.other.requests).toEqual([]);
  });

  it.each([500, 503, 429, 404, 403])('help one another out after status %i, each asked once', async (status) => {
    lab.maa.fail(ATTEST, { status });
    expect(claimsOf(await attest(await two()))).toMatchObject({ iss: lab.other.origin });
    expect([lab.maa.count(), lab.other.count()]).toEqual([1, 1]);
  });

  it('help one another out inside the time of the request', async () => {
    lab.maa.fail(ATTEST, 'half_open');
    const opened = await lab.open({ endpoints: [lab.maa.origin, lab.other.origin], deadlineMs: 3_000 });
    expect(claimsOf(await attest(opened, AbortSignal.timeout(30_000)))).toMatchObject({ iss: lab.other.origin });
  });

  it('have a breaker each: one that keeps failing is left out, and comes back', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    lab.maa.fail(ATTEST, { status: 500 });
    const opened = await two();
    for (let call = 0; call < 5; call += 1) await attest(opened);
    vi.setSystemTime(Date.now() + OPEN_MS - 1);
    expect(claimsOf(await attest(opened))).toMatchObject({ iss: lab.other.origin });
    expect(lab.maa.count()).toBe(5);
    await lab.maa.heal();
    vi.setSystemTime(Date.now() + 1);
    expect(claimsOf(await attest(opened))).toMatchObject({ iss: lab.maa.origin });
  });

  it('are left alone as long as they want, and no longer', async () => {
    lab.maa.fail(ATTEST, { status: 429, retryAfter: '30' });
    const opened = await two();
    await attest(opened);
    await lab.maa.heal();
    lab.clock.advance(29_000);
    expect(claimsOf(await attest(opened))).toMatchObject({ iss: lab.other.origin });
    lab.clock.advance(1_000);
    expect(claimsOf(await attest(opened))).toMatchObject({ iss: lab.maa.origin });
  });

  it('are not asked any more when the time is over, and that is not held against them', async () => {
    lab.maa.fail(ATTEST, 'half_open');
    const opened = await two();
    for (let call = 0; call < 6; call += 1) {
      const deadline = new AbortController();
      const outcome = attest(opened, deadline.signal);
      await expect
        .poll(() => lab.maa.count() > call || opened.log.entries.length > call, { timeout: 20_000 })
        .toBe(true);
      deadline.abort();
      expect(await outcome).toMatchObject({ code: 'route_unavailable' });
      if (lab.maa.count() >= 3) break;
    }
    expect(lab.other.requests).toEqual([]);
    await lab.maa.heal();
    lab.maa.fail(ATTEST, { status: 500 });
    expect(claimsOf(await attest(opened))).toMatchObject({ iss: lab.other.origin });
  });

  it('name the shortest pause that one of them wants', async () => {
    lab.maa.fail(ATTEST, { status: 503, retryAfter: '120' });
    lab.other.fail(ATTEST, { status: 429, retryAfter: '7' });
    expect(await attest(await two())).toMatchObject({ retryable: true, retryAfterSeconds: 7 });
  });
});

describe('limits', () => {
  it('a pause of a year is told as one of an hour, and is over after that', async () => {
    lab.maa.fail(ATTEST, { status: 429, retryAfter: '9999999' });
    const opened = await lab.open();
    expect(await attest(opened)).toMatchObject({ retryAfterSeconds: 3600 });
    await lab.maa.heal();
    lab.clock.advance(3_600_000);
    expect(await attest(opened)).toHaveProperty('token');
  });

  it('more than are let in at a time are refused, not queued without end', async () => {
    lab.maa.fail(ATTEST, 'half_open');
    const opened = await lab.open({ tuning: { turns: { concurrent: 1, queued: 0 } } });
    const deadline = new AbortController();
    const first = attest(opened, deadline.signal);
    expect(await attest(opened)).toMatchObject({ code: 'route_unavailable', retryable: true });
    deadline.abort();
    expect(await first).toMatchObject({ code: 'route_unavailable' });
  });

  it('REL-08 another caller has its turn before those of one that asks for many', async () => {
    lab.maa.fail(ATTEST, 'half_open', 1);
    const { service } = await lab.open({ tuning: { turns: { concurrent: 1, queued: 2 } } });
    const left = new AbortController();
    const done: string[] = [];
    const ask = async (principal: string, name: string, signal = never) => {
      const answer = await service.attest(submission(null), signal, principal);
      done.push(name);
      return answer;
    };
    const first = ask('many', 'first', left.signal);
    await expect.poll(() => lab.maa.count(ATTEST), { timeout: 20_000 }).toBe(1);
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

  it('waiting for a turn ends with the time of the request', async () => {
    lab.maa.fail(ATTEST, 'half_open');
    const opened = await lab.open({ tuning: { turns: { concurrent: 1, queued: 1 } } });
    const [firstDeadline, secondDeadline] = [new AbortController(), new AbortController()];
    const first = attest(opened, firstDeadline.signal);
    const second = attest(opened, secondDeadline.signal);
    secondDeadline.abort();
    expect(await second).toMatchObject({ code: 'route_unavailable', retryable: true });
    firstDeadline.abort();
    await first;
  });

  it('nothing is sent when no time is left', async () => {
    expect(await attest(await lab.open(), AbortSignal.abort())).toMatchObject({ code: 'route_unavailable' });
    expect(lab.maa.requests).toEqual([]);
  });

  it('sockets end with the request', async () => {
    lab.maa.fail(ATTEST, 'drip');
    const deadline = new AbortController();
    const outcome = attest(await lab.open(), deadline.signal);
    await expect.poll(() => lab.maa.count(), { timeout: 20_000 }).toBe(1);
    deadline.abort();
    await outcome;
    await expect.poll(() => lab.maa.openConnections, { timeout: 20_000 }).toBe(0);
  });
});

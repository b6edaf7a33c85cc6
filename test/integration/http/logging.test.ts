import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { FormatError } from '../../../src/core/errors.js';
import { call, exchange, post } from './exchange.js';
import { DENY, type FakeService, oneCaller, startFakeService, VERIFY_BODY } from './fake-service.js';

const KEY = 'c2VjcmV0LWtleS1vZi1hLWNhbGxlci1mb3ItdGhlLWxvZw';
const NONCE = 'bm9uY2Utb2YtdGhlLWNhbGxlcg';
const REPORT = Buffer.alloc(1184, 'evidence');
const RUNTIME_DATA = Buffer.from('{"user-data":"c2VjcmV0IHVzZXIgZGF0YQ"}');

const SECRET_BODY = JSON.stringify({
  evidence: {
    type: 'snp',
    report: REPORT.toString('base64url'),
    runtimeData: RUNTIME_DATA.toString('base64url'),
  },
  nonce: NONCE,
});

/** Everything that must not be written, in every form in which it could be. */
const SECRETS: readonly string[] = [
  KEY,
  createHash('sha256').update(KEY).digest('hex'),
  NONCE,
  Buffer.from(NONCE, 'base64url').toString('hex'),
  Buffer.from(NONCE, 'base64url').toString('latin1'),
  REPORT.toString('base64url').slice(0, 64),
  REPORT.toString('hex').slice(0, 64),
  'evidenceevidence',
  RUNTIME_DATA.toString('base64url').slice(0, 24),
  'c2VjcmV0IHVzZXIgZGF0YQ',
  'session=cookie-value',
];

let service: FakeService | null = null;

afterEach(async () => {
  await service?.close();
  service = null;
});

describe('the log of a run', () => {
  it('LOG-01 holds no secret and no evidence, at the finest level and on every path of errors', async () => {
    const running = await startFakeService({ callers: oneCaller(KEY, ['verify', 'metrics']), level: 'trace' });
    service = running;
    const headers = { authorization: `Bearer ${KEY}`, cookie: 'session=cookie-value' };
    const verify = (body = SECRET_BODY, more = {}) => post(running.url, '/verify', body, { ...headers, ...more });

    await verify();
    await post(running.url, '/verify?enforce=true&checks=all', SECRET_BODY, headers);
    await post(running.url, `/verify?nonce=${NONCE}`, SECRET_BODY, headers);
    await post(running.url, '/verify', SECRET_BODY, { 'x-api-key': KEY });
    await post(running.url, '/verify', SECRET_BODY, { authorization: `Basic ${KEY}` });
    await post(running.url, '/inspect', JSON.stringify(JSON.parse(SECRET_BODY).evidence), headers);
    await post(running.url, '/challenges', '{}', headers);
    await verify(SECRET_BODY.slice(0, -1));
    await verify(SECRET_BODY.replace('"snp"', '"sample"'));
    await verify(SECRET_BODY.replace('"report"', '"rapport"'));
    await verify(SECRET_BODY.replace(NONCE, `${NONCE}!`));
    await verify(SECRET_BODY, { 'content-type': 'text/plain' });
    await verify(SECRET_BODY.padEnd(1_048_577));
    await call(running.url, `/verify/${KEY}`, { headers });
    await call(running.url, `/%zz${KEY}`, { headers });
    await exchange(running.port, `POST /verify HTTP/1.1\r\nHost: localhost\r\nAuthorization : ${KEY}\r\n\r\n`);
    await exchange(running.port, `${KEY}\r\n\r\n`);

    for (const thrown of [
      new Error(`upstream said ${SECRET_BODY}`),
      new SyntaxError(`Unexpected token in JSON: ${NONCE}`),
      Object.assign(new TypeError(`Received '${REPORT.toString('base64url')}'`), { body: SECRET_BODY, key: REPORT }),
      new Error('outer', { cause: new Error(KEY) }),
      new FormatError('snp_format', 'report is short', { cause: new Error(REPORT.toString('hex')) }),
      SECRET_BODY,
      { nonce: NONCE },
    ]) {
      running.verifyEvidence.answer = () => Promise.reject(thrown);
      await verify();
    }
    await running.close();

    expect(running.lines.records.length).toBeGreaterThan(20);
    for (const secret of SECRETS) expect(running.lines.text).not.toContain(secret);
  });

  it('has one record for an answer: what was asked, by whom, how it ended, and what was decided', async () => {
    service = await startFakeService({ callers: oneCaller(KEY, ['verify']) });
    const policy = { id: 'payments', version: 3, sha256: 'cd'.repeat(32), matched: [], unmatched: [] };
    service.verifyEvidence.answer = async () => ({ ...DENY, policies: [{ ...policy, outcome: 'deny' }] });
    const headers = { authorization: `Bearer ${KEY}`, 'x-request-id': 'job-17' };
    const body = JSON.stringify({ ...JSON.parse(VERIFY_BODY), audience: 'https://gate.example' });
    await post(service.url, '/verify?enforce=true', body, headers);
    expect(service.lines.records).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d{2}-\d{2}T.+Z$/),
        msg: 'request',
        requestId: 'job-17',
        method: 'POST',
        route: '/verify',
        status: 403,
        durationMs: expect.any(Number),
        principal: 'ci',
        tenant: 'default',
        address: '127.0.0.1',
        decision: 'deny',
        decisionId: DENY.decisionId,
        reasons: ['snp_signature'],
        evidenceType: 'snp',
        evidenceSha256: DENY.evidence.sha256,
        policies: [{ id: 'payments', version: 3, sha256: 'cd'.repeat(32) }],
        audience: 'https://gate.example',
      },
    ]);
  });

  it.each([
    ['a member that is misspelt', { nonse: 'x' }, '/nonse'],
    ['a member whose name is none', { ['\u202e'.repeat(3)]: 'x' }, '/(name withheld)'],
    ['a member of evidence', { evidence: { type: 'snp' } }, '/evidence/report'],
  ])('says what was malformed, and where: %s', async (_title, members, pointer) => {
    service = await startFakeService();
    await post(service.url, '/verify', JSON.stringify({ ...JSON.parse(VERIFY_BODY), ...members }));
    expect(service.lines.records).toMatchObject([
      { status: 400, code: expect.any(String), pointer, address: '127.0.0.1' },
    ]);
  });

  it('names sixteen members of a place at most', async () => {
    service = await startFakeService();
    const deep = Array.from({ length: 20 }).reduce<string>((inner) => `{"a":${inner}}`, '{"b":1,"b":1}');
    await post(service.url, '/verify', deep);
    expect(service.lines.records).toMatchObject([{ code: 'duplicate_key', pointer: '/a'.repeat(16) }]);
  });

  it('does not fill with what machines ask every few seconds', async () => {
    service = await startFakeService();
    for (const path of ['/livez', '/readyz', '/metrics']) await call(service.url, path);
    expect(service.lines.records).toEqual([]);
  });

  it('never has the path or query as sent', async () => {
    service = await startFakeService({ level: 'trace' });
    await call(service.url, '/nothing/here?key=value');
    expect(service.lines.records).toMatchObject([{ route: null, status: 404, code: 'not_found' }]);
    expect(service.lines.text).not.toMatch(/nothing|here|key|value/);
  });
});

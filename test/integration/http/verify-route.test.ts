import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FormatError, RefusedError } from '../../../src/core/errors.js';
import { post } from './exchange.js';
import { ALLOW, DENY, type FakeService, INDETERMINATE, startFakeService, VERIFY_BODY } from './fake-service.js';

let service: FakeService;

beforeEach(async () => {
  service = await startFakeService();
});

afterEach(async () => {
  await service.close();
});

const verify = (query = '', body = VERIFY_BODY, headers = {}) => post(service.url, `/verify${query}`, body, headers);

describe('POST /verify', () => {
  it('hands over the request as read, and who asks', async () => {
    await verify();
    const [asked] = service.verifyEvidence.asked;
    expect(asked?.request.evidence.type).toBe('snp');
    expect(Buffer.from(asked?.request.nonce ?? []).toString('base64url')).toBe('q83vASNFZ4mrze8BI0VniQ');
    expect(asked?.caller.principal).toBe('local');
  });

  it.each([
    ['allow', ALLOW, undefined],
    ['deny', DENY, undefined],
    ['indeterminate', INDETERMINATE, '5'],
    ['indeterminate, where something said when', { ...INDETERMINATE, retryAfterSeconds: 17 }, '17'],
    ['indeterminate for good', { ...INDETERMINATE, retryable: false }, undefined],
    ['a deny beside something that said when', { ...DENY, retryAfterSeconds: 17 }, undefined],
    ['a historical allow', { ...ALLOW, historical: true }, undefined],
  ])('answers %s with 200', async (_title, decision, retryAfter) => {
    service.verifyEvidence.answer = async () => decision;
    const { status, body, headers } = await verify();
    expect(status).toBe(200);
    expect(body.decision).toBe(decision.decision);
    expect(headers['retry-after']).toBe(retryAfter);
    expect((await verify('?enforce=false')).status).toBe(200);
  });

  it.each([
    ['allow', ALLOW, 200],
    ['deny', DENY, 403],
    ['indeterminate', INDETERMINATE, 503],
    ['indeterminate for good', { ...INDETERMINATE, retryable: false }, 503],
    ['a historical allow', { ...ALLOW, historical: true }, 403],
    ['a historical deny', { ...DENY, historical: true }, 403],
    ['what is historical and indeterminate', { ...INDETERMINATE, historical: true }, 403],
  ])('with enforce, says %s by the status, with the same body', async (_title, decision, expected) => {
    service.verifyEvidence.answer = async () => decision;
    const { status, body, contentType, headers } = await verify('?enforce=true');
    expect(status).toBe(expected);
    expect(contentType).toBe('application/json; charset=utf-8');
    expect(body).toEqual((await verify()).body);
    expect(headers['retry-after']).toBe(expected === 503 ? '5' : undefined);
  });

  it('lists every skipped check with checks=all, and one line for each reason without', async () => {
    const ids = (body: { checks: { id: string }[] }) => body.checks.map((check) => check.id);
    expect(ids((await verify()).body)).toEqual(['snp_signature', 'snp_debug']);
    expect(ids((await verify('?checks=all')).body)).toEqual(['snp_signature', 'snp_debug', 'snp_vmpl']);
    expect(ids((await verify('?checks=all&enforce=true')).body)).toHaveLength(3);
  });

  it.each([
    ['?enforce=yes', 'schema'],
    ['?enforce=TRUE', 'schema'],
    ['?enforce', 'schema'],
    ['?enforce=true&enforce=false', 'schema'],
    ['?checks=failed', 'schema'],
    ['?Enforce=true', 'unknown_property'],
    ['?enforced=true', 'unknown_property'],
    ['?__proto__=true', 'unknown_property'],
  ])('refuses the query %s, and judges nothing', async (query, code) => {
    const { status, body } = await verify(query);
    expect([status, body.code]).toEqual([400, code]);
    expect(service.verifyEvidence.asked).toHaveLength(0);
  });

  it.each([
    ['nothing', '', 'schema'],
    ['no JSON', '{', 'schema'],
    ['a duplicate member', `{"nonce":"q83vASNFZ4k","nonce":"q83vASNFZ4k"}`, 'duplicate_key'],
    ['an unknown member', VERIFY_BODY.replace('"nonce"', '"nonse"'), 'unknown_property'],
    ['bytes that are none', VERIFY_BODY.replace('q83vASNFZ4mrze8BI0VniQ', '***'), 'encoding'],
  ])('refuses a body of %s, and judges nothing', async (_title, text, code) => {
    const { status, body } = await verify('', text);
    expect([status, body.code]).toEqual([400, code]);
    expect(service.verifyEvidence.asked).toHaveLength(0);
  });

  const FOR_GATE = JSON.stringify({ ...JSON.parse(VERIFY_BODY), audience: 'https://gate.example' });

  describe.each([
    'application/eat+jwt',
    'Application/EAT+JWT; q=1',
    'application/eat+jwt, application/problem+json',
    'application/problem+json;q=0.1 , application/eat+jwt;v=1',
  ])('to whoever wants the receipt alone (%s)', (accept) => {
    it('answers with it', async () => {
      service.verifyEvidence.answer = async () => ({ ...ALLOW, receipt: 'aaa.bbb.ccc' });
      const { status, body: text, contentType } = await verify('', FOR_GATE, { accept });
      expect([status, text]).toEqual([200, 'aaa.bbb.ccc']);
      expect(contentType).toBe('application/eat+jwt; eat_profile="tag:github.com,2023:veraison/ear"');
    });

    it.each([
      ['without an audience', VERIFY_BODY],
      ['of the past', JSON.stringify({ ...JSON.parse(FOR_GATE), at: '2026-01-15T12:00:00Z' })],
    ])('says no for a decision %s, and judges nothing', async (_title, text) => {
      const { status, body } = await verify('', text, { accept });
      expect([status, body.code]).toEqual([406, 'not_acceptable']);
      expect(service.verifyEvidence.asked).toHaveLength(0);
    });

    it('says no where the decision has none, with the decision and why', async () => {
      service.verifyEvidence.answer = async () => INDETERMINATE;
      const { status, body } = await verify('', FOR_GATE, { accept });
      expect([status, body.code]).toEqual([406, 'not_acceptable']);
      expect(body.detail).toBe(
        `the decision ${INDETERMINATE.decisionId}, indeterminate (vcek_unavailable), has no receipt`,
      );
    });
  });

  it('says a deny by the status of a receipt too, where that is asked for', async () => {
    service.verifyEvidence.answer = async () => ({ ...DENY, receipt: 'aaa.bbb.ccc' });
    const { status, body: text } = await verify('?enforce=true', FOR_GATE, { accept: 'application/eat+jwt' });
    expect([status, text]).toEqual([403, 'aaa.bbb.ccc']);
  });

  it.each(['urn:veritee:not-allowed', 'URN:Veritee:x'])('REC-02 refuses %s as an audience', async (audience) => {
    const { status, body } = await verify('', JSON.stringify({ ...JSON.parse(VERIFY_BODY), audience }));
    expect([status, body.code, body.pointer]).toEqual([400, 'schema', '/audience']);
    expect(service.verifyEvidence.asked).toHaveLength(0);
  });

  it.each(['*/*', 'application/json', 'application/eat+jwt, application/json;q=0.5', 'application/problem+json', ''])(
    'answers whoever takes something else too: %s',
    async (accept) => {
      expect((await verify('', VERIFY_BODY, { accept })).status).toBe(200);
    },
  );

  it.each([
    ['malformed evidence', new FormatError('snp_format', 'x', { pointer: '/evidence/report' }), 400, 'snp_format'],
    ['an unknown policy', new FormatError('policy_unknown', 'x', { pointer: '/policy' }), 400, 'policy_unknown'],
    ['a policy of somebody else', new RefusedError('forbidden', 'x'), 403, 'forbidden'],
    ['no room', new RefusedError('overloaded', 'x', { retryAfterSeconds: 7 }), 503, 'overloaded'],
  ])('answers %s with a problem document', async (_title, error, expected, code) => {
    service.verifyEvidence.answer = async () => {
      throw error;
    };
    const { status, body, contentType, headers } = await verify('?enforce=true');
    expect([status, body.status, body.code]).toEqual([expected, expected, code]);
    expect(contentType).toBe('application/problem+json; charset=utf-8');
    expect(body).not.toHaveProperty('decision');
    expect(body.pointer).toBe(error instanceof FormatError ? error.pointer : undefined);
    expect(headers['retry-after']).toBe(expected === 503 ? '7' : undefined);
  });

  it.each([
    ['an error', new Error('/srv/veritee/secret.ts:1: upstream said <html>')],
    ['an error that names a status', Object.assign(new Error('teapot'), { statusCode: 418, headers: { 'x-a': 'b' } })],
    ['an error with a code of the framework', Object.assign(new Error('x'), { code: 'FST_ERR_NOT_FOUND' })],
    ['a text', 'secret.ts'],
    ['undefined', undefined],
  ])('LOG-03 answers %s with 500 and no detail', async (_title, thrown) => {
    service.verifyEvidence.answer = () => Promise.reject(thrown);
    const { status, body, headers } = await verify();
    expect(status).toBe(500);
    const { requestId, ...rest } = body;
    expect(rest).toEqual({
      type: 'urn:veritee:problem:internal_error',
      title: 'Internal error',
      status: 500,
      detail: 'the request could not be answered',
      code: 'internal_error',
    });
    expect(requestId).toBe(headers['x-request-id']);
    expect(headers['x-a']).toBeUndefined();
  });

  it('LOG-03 leaves what happened to the log, under the id that the client was given', async () => {
    service.verifyEvidence.answer = async () => {
      throw new TypeError('secret');
    };
    const { body } = await verify();
    const [failed, answered] = service.lines.records;
    expect(failed).toMatchObject({ level: 'error', msg: 'request failed', requestId: body.requestId });
    expect(failed).toMatchObject({ err: { type: 'TypeError', frames: expect.arrayContaining([expect.any(String)]) } });
    expect(answered).toMatchObject({ msg: 'request', requestId: body.requestId, status: 500, code: 'internal_error' });
  });

  it('LOG-03 quotes neither body nor offsets of it in an error about the body', async () => {
    const text = '{"nonce": "c2VjcmV0", "evidence": {"type": "snp", "report": "c2VjcmV0!"}}';
    const { body } = await verify('', text);
    expect(body.code).toBe('encoding');
    expect(JSON.stringify(body)).not.toMatch(/c2VjcmV0|position|column|line \d|offset/);
    const broken = await verify('', text.slice(0, 40));
    expect(JSON.stringify(broken.body)).not.toMatch(/c2VjcmV0|position|column|line \d|offset/);
  });
});

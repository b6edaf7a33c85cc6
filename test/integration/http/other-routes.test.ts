import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LocalCaller } from '../../../src/callers/local-caller.js';
import { RefusedError } from '../../../src/core/errors.js';
import { OPENAPI_DOCUMENT } from '../../contract/openapi-document.js';
import { call, post } from './exchange.js';
import {
  ALLOW,
  type FakeService,
  fakeServices,
  KNOWN_DECISION,
  KNOWN_ENDORSEMENT,
  oneCaller,
  startFakeService,
  VERIFY_BODY,
} from './fake-service.js';

let service: FakeService;
const startOther = fakeServices();

beforeEach(async () => {
  service = await startFakeService();
});

afterEach(async () => {
  await service.close();
});

describe('POST /challenges', () => {
  it('answers with a nonce in base64url and its end', async () => {
    const { status, body } = await post(service.url, '/challenges', '{"policy":"payments","evidenceType":"snp"}');
    expect(status).toBe(200);
    expect(body).toEqual({
      nonce: Buffer.alloc(32, 7).toString('base64url'),
      expiresAt: '2026-01-15T12:05:00.000Z',
    });
    expect(service.challenges.asked).toMatchObject([
      { request: { policy: 'payments', evidenceType: 'snp', audience: null }, caller: { principal: 'local' } },
    ]);
  });

  it('refuses an unknown member', async () => {
    const { status, body } = await post(service.url, '/challenges', '{"polizy":"payments"}');
    expect([status, body.code]).toEqual([400, 'unknown_property']);
    expect(service.challenges.asked).toHaveLength(0);
  });

  it('is 503 where no further challenge can be kept', async () => {
    service.challenges.answer = async () => {
      throw new RefusedError('overloaded', 'no room', { retryAfterSeconds: 3 });
    };
    const { status, body, headers } = await post(service.url, '/challenges', '{}');
    expect([status, body.code, headers['retry-after']]).toEqual([503, 'overloaded', '3']);
  });
});

describe('POST /inspect', () => {
  it('shows what evidence says', async () => {
    const { status, body } = await post(service.url, '/inspect', JSON.stringify(JSON.parse(VERIFY_BODY).evidence));
    expect(status).toBe(200);
    expect(body).toMatchObject({ verified: false, type: 'snp' });
  });

  it('refuses evidence of a type that is not judged here', async () => {
    const { status, body } = await post(service.url, '/inspect', '{"type":"sample"}');
    expect([status, body.code]).toEqual([400, 'type_unsupported']);
  });
});

describe('GET /endorsements/{sha256}', () => {
  it('shows the bytes of an endorsement, in base64url', async () => {
    for (const digest of [KNOWN_ENDORSEMENT, KNOWN_ENDORSEMENT.toUpperCase()]) {
      const { status, body } = await call(service.url, `/endorsements/${digest}`);
      expect([status, body]).toEqual([200, { kind: 'crl', sha256: KNOWN_ENDORSEMENT, value: 'MPv_' }]);
    }
  });

  it('is 404 for a digest of none', async () => {
    const { status, body } = await call(service.url, `/endorsements/${'cd'.repeat(32)}`);
    expect([status, body.code]).toEqual([404, 'not_found']);
  });

  it.each(['ab', 'g'.repeat(64), `${KNOWN_ENDORSEMENT}ab`, `${KNOWN_ENDORSEMENT}%0a`])(
    'REQ-10 is 400 for what is no digest: %s',
    async (digest) => {
      const { status, body } = await call(service.url, `/endorsements/${digest}`);
      expect([status, body.code, body.pointer]).toEqual([400, 'schema', '/sha256']);
    },
  );
});

describe('a query parameter that a call does not have', () => {
  it.each(['/challenges', '/inspect', '/policies:lint', '/policies:evaluate'])('is 400 at POST %s', async (path) => {
    const { status, body } = await post(service.url, `${path}?explain=tree`, '{}');
    expect([status, body.code, body.detail]).toEqual([
      400,
      'unknown_property',
      'unknown query parameter "explain"; this call has none',
    ]);
    expect(service.challenges.asked).toHaveLength(0);
  });

  it.each(['/policies', '/policies/azure-cvm-baseline', `/endorsements/${KNOWN_ENDORSEMENT}`])(
    'is 400 at GET %s',
    async (path) => {
      const { status, body } = await call(service.url, `${path}?x=1`);
      expect([status, body.code]).toEqual([400, 'unknown_property']);
      expect((await call(service.url, `${path}?`)).body.code).not.toBe('unknown_property');
    },
  );

  it.each(['/livez', '/readyz', '/metrics', '/openapi.json', '/docs'])('is passed over at GET %s', async (path) => {
    expect((await call(service.url, `${path}?x=1`)).status).toBe(200);
  });
});

describe('operation', () => {
  it('GET /livez is 200', async () => {
    const { status, body } = await call(service.url, '/livez');
    expect([status, body]).toEqual([200, { live: true }]);
    expect((await call(service.url, '/livez', { method: 'HEAD' })).status).toBe(200);
  });

  it('GET /livez is 503 with what is wrong, where the process should be started again', async () => {
    const problem = { code: 'clock', reason: 'the clock was set back' } as const;
    service.liveness.problems = [problem];
    const { status, body } = await call(service.url, '/livez');
    expect([status, body]).toEqual([503, { live: false, problems: [problem] }]);
  });

  it('GET /readyz is 200, or 503 with what stands against it', async () => {
    expect(await call(service.url, '/readyz')).toMatchObject({ status: 200, body: { ready: true, problems: [] } });
    const problem = { code: 'policies', reason: 'no policy is loaded' } as const;
    service.readiness.problems = [problem];
    const { status, body, headers } = await call(service.url, '/readyz');
    expect([status, body]).toEqual([503, { ready: false, problems: [problem] }]);
    expect(headers['retry-after']).toBe('5');
    expect((await call(service.url, '/livez')).status).toBe(200);
  });

  it('GET /metrics counts what was answered and decided', async () => {
    await post(service.url, '/verify', VERIFY_BODY);
    await call(service.url, '/nothing?nonce=secret');
    const { status, body } = await call(service.url, '/metrics');
    expect(status).toBe(200);
    expect(body).toContain('veritee_decisions_total{outcome="allow",reason="none",evidence_type="snp"} 1\n');
    expect(body).toMatch(
      /^veritee_http_request_duration_seconds_count\{method="POST",route="\/verify",status="200"\} 1$/m,
    );
    expect(body).toMatch(/^veritee_http_request_duration_seconds_count\{method="GET",route="none",status="404"\} 1$/m);
    expect(body).not.toContain('secret');
  });

  it('GET /metrics counts decisions by the tenant of the caller', async () => {
    const callers = oneCaller('a key', ['verify', 'metrics'], { tenant: 'red' });
    const ofRed = await startOther({ callers });
    const policy = { id: 'payments', version: 1, sha256: 'ab'.repeat(32), outcome: 'allow' } as const;
    ofRed.verifyEvidence.answer = async () => ({ ...ALLOW, policies: [{ ...policy, matched: [], unmatched: [] }] });
    const headers = { 'x-api-key': 'a key' };
    expect((await post(ofRed.url, '/verify', VERIFY_BODY, headers)).status).toBe(200);
    const counted = /^veritee_policy_decisions_total\{.*$/gm;
    expect(String((await call(ofRed.url, '/metrics', { headers })).body).match(counted)).toEqual([
      'veritee_policy_decisions_total{tenant="red",policy="payments",outcome="allow",reason="none"} 1',
    ]);
  });

  it('GET /openapi.json is the contract', async () => {
    const { status, body } = await call(service.url, '/openapi.json');
    expect(status).toBe(200);
    expect(body).toEqual(OPENAPI_DOCUMENT);
  });

  it('every operation of the contract is served, and only those', async () => {
    const declared = Object.keys(OPENAPI_DOCUMENT['paths'] ?? {});
    for (const path of declared) {
      // That one has every method.
      if (path.startsWith('/authorize/')) continue;
      const answer = await call(service.url, path, { method: 'DELETE' });
      expect([path, answer.status]).toEqual([path, 405]);
    }
    expect((await call(service.url, '/keys')).status).toBe(404);
  });
});

describe('a decision', () => {
  it.each(['GET', 'HEAD', 'DELETE'] as const)('is not judged again by %s, and what does is said', async (method) => {
    const { status, headers, body } = await call(service.url, `/decisions/${KNOWN_DECISION}:replay`, { method });
    expect([status, headers['allow']]).toEqual([405, 'POST']);
    if (method === 'HEAD') return;
    expect([body.code, body.detail]).toEqual(['method_not_allowed', `${method} is not served at this path: use POST`]);
  });

  it('has a call behind a colon, which a path with a slash names', async () => {
    const { status, body } = await post(service.url, `/decisions/${KNOWN_DECISION}/replay`, '{}');
    expect([status, body.detail]).toEqual([404, 'nothing is at this path; did you mean POST /decisions/{id}:replay?']);
  });

  it('that is none is 404, also where its id is no UUID', async () => {
    const auditing = await startOther({ callers: () => new LocalCaller({ historical: true, insecure: false }) });
    const { status, body } = await call(auditing.url, '/decisions/foo');
    expect([status, body.code, body.detail]).toEqual([404, 'not_found', 'there is no decision of this id']);
    expect((await call(service.url, `/decisions/${KNOWN_DECISION}:show`)).body.detail).toBe(
      'nothing is at this path; GET /docs lists all paths',
    );
  });

  it('is shown without callers only where a setting grants it, which is said', async () => {
    for (const path of ['/decisions', `/decisions/${KNOWN_DECISION}`]) {
      const { status, body } = await call(service.url, path);
      expect([status, body.code, body.detail]).toEqual([
        403,
        'forbidden',
        'this call needs the role audit:read, which the caller does not have: no callers are configured, and historical: true grants it',
      ]);
    }
  });

  it('is not shown to a caller without the role, who is told of no setting', async () => {
    const withCallers = await startOther({ callers: oneCaller('a key', ['verify']) });
    const { status, body } = await call(withCallers.url, '/decisions', { headers: { 'x-api-key': 'a key' } });
    expect([status, body.detail]).toEqual([403, 'this call needs the role audit:read, which the caller does not have']);
  });
});

describe('every answer', () => {
  it('is not cached, not sniffed, not framed, and of this origin', async () => {
    for (const answer of [
      await post(service.url, '/verify', VERIFY_BODY),
      await post(service.url, '/verify', '{'),
      await call(service.url, '/livez'),
      await call(service.url, '/nothing'),
      await call(service.url, '/%zz'),
    ]) {
      expect(answer.headers).toMatchObject({
        'cache-control': 'no-store',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
        'cross-origin-resource-policy': 'same-origin',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
      });
      expect(answer.headers).not.toHaveProperty('server');
      expect(answer.headers).not.toHaveProperty('x-powered-by');
      expect(answer.headers).not.toHaveProperty('strict-transport-security');
    }
  });
});

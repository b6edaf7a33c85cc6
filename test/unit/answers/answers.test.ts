import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../../src/core/json.js';
import { canonicalAnswer } from '../../answers/canonical.js';
import { type Difference, differencesOf, isMeant, unusedOf } from '../../answers/differences.js';

const check = (id: string, members: JsonObject = {}): JsonObject => ({
  id,
  result: 'pass',
  about: '/evidence/report',
  expected: null,
  actual: null,
  detail: 'as it should be',
  remedy: null,
  waived: false,
  policy: null,
  ...members,
});
const CHECKS = [check('snp_signature'), check('snp_debug'), check('snp_vmpl', { expected: [0], actual: 0 })];
const DECISION: JsonObject = {
  decision: 'allow',
  decisionId: '019ac000-0000-7000-8000-000000000000',
  decidedAt: '2026-01-15T12:00:00.000Z',
  at: '2026-01-15T12:00:00.000Z',
  validUntil: '2026-01-15T12:05:00.000Z',
  checks: CHECKS,
  reasons: ['snp_debug', 'snp_vmpl'],
  claims: { maa: { claims: { detail: 'of the issuer', validUntil: 'ever' } } },
  freshness: { bound: [], clockSkewSeconds: 3 },
  endorsements: [{ kind: 'vcek', sha256: 'aa', source: 'evidence' }],
};

const NOW = new Date('2026-11-27T00:00:00Z');
const canonical = (body: JsonValue, now: Date | null = null, status = 200, contentType = 'application/json') =>
  canonicalAnswer({ status, contentType, body }, now);

function found(changed: JsonObject, now: Date | null = null): readonly Difference[] {
  return differencesOf(canonical(DECISION, now), canonical({ ...DECISION, ...changed }, now));
}

const withCheck = (index: number, members: JsonObject) => ({
  checks: CHECKS.map((one, at) => (at === index ? { ...one, ...members } : one)),
});
const differs = (pointer: string, before?: JsonValue, after?: JsonValue, of: string | null = null): Difference => {
  return { pointer, check: of, kind: 'value', before, after };
};

describe('the canonical form of an answer', () => {
  it('leaves out what is made anew for each answer, and texts for people', () => {
    expect(found({ decisionId: 'another', decidedAt: '2026-01-15T12:00:01.000Z' })).toEqual([]);
    expect(found(withCheck(0, { detail: 'in other words', remedy: 'do something' }))).toEqual([]);
    const refused = (members: JsonObject) => canonical({ code: 'schema', pointer: '/nonce', ...members }, null, 400);
    const one = refused({ title: 'Malformed request', detail: 'not so', requestId: 'a' });
    expect(one).toEqual(refused({ title: 'Malformed', detail: 'no', requestId: 'b' }));
    expect(one).not.toEqual(refused({ pointer: '/at' }));
  });

  it('keeps the times that follow from the instant of the request, and leaves out those of now', () => {
    const later = { at: '2027-01-15T12:00:00.000Z', validUntil: '2027-01-15T12:05:00.000Z' };
    expect(found(later).map(({ pointer }) => pointer)).toEqual(['/body/at', '/body/validUntil']);
    expect(found({ ...later, freshness: { bound: [], clockSkewSeconds: 4 } }, NOW)).toEqual([]);
  });

  it('takes a compared time for that of the service only near it, and only where the request names none', () => {
    const expecting = (expected: string) => withCheck(2, { expected });
    const between = (first: string, second: string, now: Date | null) =>
      differencesOf(canonical(expecting(first), now), canonical(expecting(second), now)).length;
    const [one, other] = ['2026-11-27T00:00:01.250Z', '2026-11-27T00:00:01.700Z'];
    expect(between(one, other, NOW)).toBe(0);
    expect(between(one, other, null)).toBe(1);
    expect(between(one, '2026-11-26T00:00:00Z', NOW)).toBe(1);
  });

  it('keeps claims as they are, whatever their names', () => {
    const claims = { maa: { claims: { detail: 'of another', validUntil: 'ever' } } };
    expect(found({ claims }, NOW)).toEqual([differs('/body/claims/maa/claims/detail', 'of the issuer', 'of another')]);
  });

  it('does not depend on the order of members, nor on parameters of the media type', () => {
    const turned = Object.fromEntries(Object.entries(DECISION).reverse());
    const other = canonical(turned, null, 200, 'application/json; charset=utf-8');
    expect(JSON.stringify(other)).toBe(JSON.stringify(canonical(DECISION)));
  });
});

describe('differences between answers', () => {
  it('are a changed result, value, decision and status', () => {
    expect(found(withCheck(1, { result: 'fail' }))).toEqual([
      differs('/body/checks/1/result', 'pass', 'fail', 'snp_debug'),
    ]);
    expect(found(withCheck(2, { actual: 1 }))).toEqual([differs('/body/checks/2/actual', 0, 1, 'snp_vmpl')]);
    expect(found({ decision: 'deny' })).toEqual([differs('/body/decision', 'allow', 'deny')]);
    const status = differencesOf(canonical(DECISION), canonical(DECISION, null, 503));
    expect(status).toEqual([differs('/status', 200, 503)]);
  });

  it('are a check that is missing, new, or there once more, and nothing of those after it', () => {
    const { detail: _, remedy: __, ...missing } = CHECKS[0] ?? {};
    expect(found({ checks: CHECKS.slice(1) })).toMatchObject([
      { pointer: '/body/checks/0', check: 'snp_signature', before: missing, after: undefined },
    ]);
    expect(found({ checks: [check('snp_format'), ...CHECKS] })).toMatchObject([
      { pointer: '/body/checks/0', check: 'snp_format', before: undefined },
    ]);
    expect(found({ checks: [...CHECKS, ...CHECKS.slice(0, 1)] })).toMatchObject([
      { pointer: '/body/checks/3', check: 'snp_signature', before: undefined },
    ]);
    expect(found(withCheck(0, { about: '/evidence/quote' }))).toHaveLength(2);
  });

  it('are another order of checks and reasons, which is told from other values', () => {
    const order = (pointer: string) => ({ ...differs(pointer), kind: 'order' });
    expect(found({ checks: CHECKS.toReversed() })).toEqual([order('/body/checks')]);
    expect(found({ reasons: ['snp_vmpl', 'snp_debug'] })).toEqual([order('/body/reasons')]);
    const { checks } = withCheck(0, { result: 'warn' });
    expect(found({ checks: checks.toReversed() })).toEqual([
      differs('/body/checks/0/result', 'pass', 'warn', 'snp_signature'),
      order('/body/checks'),
    ]);
  });

  it('are found in lists whose items have no names', () => {
    const fields = (...values: readonly number[]) => ({ structures: values.map((value) => ({ value, offset: 0 })) });
    expect(found(fields(1, 2))).toHaveLength(1);
    const between = (before: JsonObject, after: JsonObject) => differencesOf(canonical(before), canonical(after));
    expect(between(fields(1, 2), fields(1, 3, 4)).map(({ pointer }) => pointer)).toEqual([
      '/body/structures/1/value',
      '/body/structures/2',
    ]);
    expect(between(fields(1, 2), fields(2, 1))).toMatchObject([{ pointer: '/body/structures', kind: 'order' }]);
  });

  it('name members by JSON pointer', () => {
    const changed = differencesOf(canonical({ 'a/b~c': 1 }), canonical({ 'a/b~c': 2 }));
    expect(changed.map(({ pointer }) => pointer)).toEqual(['/body/a~1b~0c']);
  });
});

describe('a meant difference', () => {
  const difference = differs('/body/checks/3/actual', 1, 2, 'snp_vmpl');

  it.each([
    ['/body/checks/3/actual', undefined, true],
    ['/body/checks/*/actual', undefined, true],
    ['/body/checks/*', 'snp_vmpl', true],
    ['/body/checks/*', 'snp_debug', false],
    ['/body/checks/*/expected', undefined, false],
    ['/body/checks/*/actual/0', undefined, false],
    ['/body/check', undefined, false],
  ])('%s of %s', (pointer, of, meant) => {
    const pattern = { pointer, why: 'a test', ...(of === undefined ? {} : { check: of }) };
    expect(isMeant(difference, pattern)).toBe(meant);
  });

  it('that fits nothing is found', () => {
    const used = { pointer: '/body/checks/*', why: 'a test' };
    const unused = { pointer: '/body/reasons', why: 'another test' };
    expect(unusedOf([used, unused], [difference])).toEqual([unused]);
    expect(unusedOf([used], [])).toEqual([used]);
  });
});

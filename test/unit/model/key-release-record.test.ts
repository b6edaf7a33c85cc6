import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/model/json.js';
import { shownRelease, whyNotReleasable } from '../../../src/model/key-release-record.js';
import { ChangedDecisionError, LaterVersionError } from '../../../src/model/recorded-decision.js';

const ID = '019bc1f0-5a3c-7b52-9d9f-3a0e8d0f5c11';

const decided = (release: object | undefined = { keyId: 'k', dryRun: false }, decision = 'allow') =>
  ({ decision: { decision }, request: { ...(release === undefined ? {} : { release }) } }) as unknown as JsonObject;

const NOTHING_ASKED = { decision: { decision: 'allow' }, request: {} } as unknown as JsonObject;

const ATTEMPT = {
  v: 1,
  kind: 'release-attempt',
  time: '2026-01-15T12:00:00.000Z',
  decisionId: ID,
  keyId: 'k',
  principal: 'gate',
  tenant: 'default',
  key: { type: 'local' },
};
const RESULT = {
  v: 1,
  kind: 'release-result',
  time: '2026-01-15T12:00:01.000Z',
  decisionId: ID,
  outcome: 'released',
  keyVersion: '7',
  valueSha256: 'ab'.repeat(32),
  code: null,
  detail: '',
};
const REFUSED = { ...RESULT, outcome: 'refused', keyVersion: null, valueSha256: null, code: 'release_refused' };
const UNAVAILABLE = { ...REFUSED, outcome: 'unavailable', code: 'release_unavailable' };

const shown = (content: JsonObject, ...records: readonly object[]) =>
  shownRelease(
    content,
    records.map((record) => ({ content: JSON.stringify(record) })),
  );

describe('what is shown of a release', () => {
  it('is nothing where nothing was to be released', () => {
    expect(shown(NOTHING_ASKED)).toBeNull();
  });

  const asked = { keyId: 'k', dryRun: false };
  const none = { attemptedAt: null, endedAt: null, keyVersion: null, code: null };
  const attempted = { ...none, attemptedAt: ATTEMPT.time };
  const ended = { ...attempted, endedAt: RESULT.time };

  it.each<[string, readonly object[], object]>([
    ['not_attempted', [], none],
    ['unknown', [ATTEMPT], attempted],
    ['released', [ATTEMPT, RESULT], { ...ended, keyVersion: '7' }],
    ['refused', [ATTEMPT, REFUSED], { ...ended, code: 'release_refused' }],
    ['unavailable', [ATTEMPT, UNAVAILABLE], { ...ended, code: 'release_unavailable' }],
  ])('has the state %s', (state, records, expected) => {
    expect(shown(decided(), ...records)).toEqual({ ...asked, state, ...expected });
  });

  it('says that a dry run was one', () => {
    expect(shown(decided({ keyId: 'k', dryRun: true }))).toEqual({
      keyId: 'k',
      dryRun: true,
      state: 'not_attempted',
      ...none,
    });
  });

  it.each<[string, JsonObject, readonly object[]]>([
    ['a result without an attempt', decided(), [RESULT]],
    ['a result before its attempt', decided(), [RESULT, ATTEMPT]],
    ['two attempts', decided(), [ATTEMPT, ATTEMPT]],
    ['two results', decided(), [ATTEMPT, RESULT, RESULT]],
    ['an attempt of a dry run', decided({ keyId: 'k', dryRun: true }), [ATTEMPT]],
    ['an attempt for another key', decided({ keyId: 'other', dryRun: false }), [ATTEMPT]],
    ['an attempt by a deny', decided(undefined, 'deny'), [ATTEMPT]],
    ['an attempt where nothing was to be released', NOTHING_ASKED, [ATTEMPT]],
    ['a record of another kind', decided(), [{ ...ATTEMPT, kind: 'withdrawn' }]],
    ['an attempt without a key', decided(), [{ ...ATTEMPT, key: null }]],
    ['a result of no outcome', decided(), [ATTEMPT, { ...RESULT, outcome: 'lost' }]],
    ['what is no object', decided(), [[]]],
  ])('AUD-01 is never what follows from %s', (_, content, records) => {
    expect(() => shown(content, ...records)).toThrow(ChangedDecisionError);
  });

  it('AUD-01 is never what follows from content that is gone, or no JSON', () => {
    for (const content of [null, 'x'])
      expect(() => shownRelease(decided(), [{ content }])).toThrow(ChangedDecisionError);
  });

  it('is for a later version to say where that recorded it', () => {
    expect(() => shown(decided(), { ...ATTEMPT, v: 2 })).toThrow(LaterVersionError);
  });
});

it.each([
  ['the decision is no allow', decided(undefined, 'deny')],
  ['nothing was to be released by the decision', NOTHING_ASKED],
  ['the decision was to release nothing: it is a dry run', decided({ keyId: 'k', dryRun: true })],
  ['the decision is about another key', decided({ keyId: 'other', dryRun: false })],
  [null, decided()],
])('says why a decision is no ground for an attempt: %s', (why, content) => {
  expect(whyNotReleasable(content, 'k')).toBe(why);
});

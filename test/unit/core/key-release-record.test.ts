import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.js';
import { shownRelease, whyNotReleasable } from '../../../src/core/key-release-record.js';
import { ChangedDecisionError, LaterVersionError } from '../../../src/core/recorded-decision.js';

const ID = '019bc1f0-5a3c-7b52-9d9f-3a0e8d0f5c11';

const WHO = { principal: 'gate', tenant: 'default' };
const REQUEST = { attestationResults: [{ type: 'maa-token', sha256: 'cd'.repeat(32) }] };

const decided = (release: object = { keyId: 'k', dryRun: false }, decision: object = {}) =>
  ({
    ...WHO,
    decision: { decision: 'allow', binding: { jkt: 'bound' }, ...decision },
    request: { ...REQUEST, release },
  }) as unknown as JsonObject;
const DENIED = decided(undefined, { decision: 'deny' });
/** The checks that an allow of a release by a vault has passed. */
const OF_VAULT = { checks: [{ id: 'release_other_vm', result: 'pass' }] };

const NOTHING_ASKED = { ...WHO, decision: { decision: 'allow' }, request: {} } as unknown as JsonObject;

const ATTEMPT = {
  v: 1,
  kind: 'release-attempt',
  time: '2026-01-15T12:00:00.000Z',
  decisionId: ID,
  keyId: 'k',
  ...WHO,
  key: { type: 'local' },
} as const;
const BY_VAULT = {
  ...ATTEMPT,
  key: {
    type: 'vault',
    host: 'keys.vault.example',
    name: 'db-key',
    version: null,
    enc: 'RSA_AES_KEY_WRAP_384',
    targetSha256: 'cd'.repeat(32),
    jkt: 'bound',
  },
} as const;
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
    ['an attempt by a deny', DENIED, [ATTEMPT]],
    ['an attempt of another caller', decided(), [{ ...ATTEMPT, principal: 'other' }]],
    ['an attempt with another bound key', decided(undefined, { ...OF_VAULT, binding: { jkt: 'other' } }), [BY_VAULT]],
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

describe('why a decision is no ground for an attempt', () => {
  it.each<[string | null, JsonObject]>([
    ['the decision is no allow', DENIED],
    ['nothing was to be released by the decision', NOTHING_ASKED],
    ['the decision was to release nothing: it is a dry run', decided({ keyId: 'k', dryRun: true })],
    ['the decision is about another key', decided({ keyId: 'other', dryRun: false })],
    ['another caller asked for the decision', { ...decided(), principal: 'other' }],
    ['another caller asked for the decision', { ...decided(), tenant: 'other' }],
    [null, decided()],
    [null, decided(undefined, { binding: null })],
    [null, decided(undefined, { checks: [null, { id: 'release_warning', result: 'pass' }] })],
    [null, decided(undefined, { checks: [{ id: 'release_other_vm', result: 'skipped' }] })],
    ['the decision is about a key of another kind', decided(undefined, OF_VAULT)],
  ])('is said of every key: %s', (why, content) => {
    expect(whyNotReleasable(content, ATTEMPT)).toBe(why);
  });

  it.each<[string | null, JsonObject]>([
    ['the decision is no allow', DENIED],
    ['the decision is about a key of another kind', decided()],
    ['the decision is about another bound key', decided(undefined, { ...OF_VAULT, binding: { jkt: 'other' } })],
    ['the decision is about another bound key', decided(undefined, { ...OF_VAULT, binding: null })],
    [
      'the request of the decision had another token',
      { ...decided(undefined, OF_VAULT), request: { release: { keyId: 'k', dryRun: false } } },
    ],
    [
      'the request of the decision had another token',
      {
        ...decided(undefined, OF_VAULT),
        request: {
          release: { keyId: 'k', dryRun: false },
          attestationResults: [{ type: 'maa-token', sha256: 'ef' }, null],
        },
      },
    ],
    [
      'the request of the decision had another token',
      {
        ...decided(undefined, OF_VAULT),
        request: {
          release: { keyId: 'k', dryRun: false },
          attestationResults: [{ type: 'ita-token', sha256: 'cd'.repeat(32) }],
        },
      },
    ],
    [null, decided(undefined, OF_VAULT)],
  ])('is said of the key of a vault: %s', (why, content) => {
    expect(whyNotReleasable(content, BY_VAULT)).toBe(why);
  });
});

import { describe, expect, it } from 'vitest';
import type { NonceStanding } from '../../../src/core/challenge.js';
import type { EndorsementRequest, EndorsementSet, FetchContext, MissingCrl } from '../../../src/core/endorsement.js';
import type { SubmissionResult } from '../../../src/core/verification.js';
import { gather } from '../../../src/judge/gather.js';
import { type Fact, KeptInquiry, LiveInquiry, NO_KEY, NotAskedThenError } from '../../../src/judge/inquiry.js';
import { NO_WAITS } from '../../../src/judge/waits.js';
import { decodeValue, encodeValue, KeptBytes } from '../../../src/log/kept-values.js';

const SNP: EndorsementRequest = {
  kind: 'amd-snp',
  signingKey: 'vcek',
  products: ['Milan'],
  chipId: new Uint8Array(2).fill(1),
  chipIdBytes: () => 64,
  reportedTcb: () => ({}) as never,
  supplied: { vek: null, chain: false, crls: false },
  hasPath: () => true,
};
const TDX: EndorsementRequest = { kind: 'intel-tdx', fmspc: '00806f050000', ca: 'platform', supplied: null };
const KEYS: EndorsementRequest = { kind: 'token-keys', type: 'maa-token', issuer: 'https://a', kid: 'k' };
const AK: EndorsementRequest = { kind: 'ak-issuers', issuer: Uint8Array.of(0x30) };
const CONTEXT: FetchContext = { at: new Date(), historical: false, signal: new AbortController().signal };

const MISSING: MissingCrl = {
  code: 'crl_unavailable',
  detail: 'none',
  retryable: true,
  substitute: { newest: { number: 2n ** 80n, thisUpdate: new Date('2026-06-01T00:00:00Z') }, otherSeries: ['ab'] },
};
const SET: EndorsementSet = {
  snp: {
    vek: { value: { der: Uint8Array.of(7), sha256: 'ab' }, origin: 'cache', fetchedAt: null },
    chains: new Map(),
    chainProblem: null,
    crls: new Map(),
    otherCrls: new Map(),
    crlProblems: new Map([['Milan', MISSING]]),
  },
};

const never = () => {
  throw new Error('a source was asked');
};

/** Facts after a round trip through JSON text. */
function roundTrip(facts: readonly Fact[]): readonly Fact[] {
  const bytes = new KeptBytes();
  const text = JSON.stringify(encodeValue(facts, bytes));
  const found = (sha256: string) => bytes.objects.find((object) => object.sha256 === sha256)?.bytes as Uint8Array;
  return decodeValue(JSON.parse(text), found) as readonly Fact[];
}

describe('the answers that a decision depends on', () => {
  it('are kept in the order of the questions, and given again without a source', async () => {
    const live = new LiveInquiry(NO_WAITS, true);
    const standing: NonceStanding = { origin: 'challenge', state: 'consumed', issuedAt: new Date(0) };
    const token: SubmissionResult = { token: 'a.b.c', expected: { nonce: 'n' } };
    live.note('policy', 'payments', () => Buffer.from('id: payments'));
    let answerFirst = () => {};
    const first = live.ask('nonce', NO_KEY, () => new Promise((resolve) => (answerFirst = () => resolve(standing))));
    await live.ask(
      'token',
      () => 'maa',
      async () => token,
    );
    answerFirst();
    await first;
    live.look(
      'issues',
      () => 'maa https://a',
      () => true,
    );
    expect(live.facts.map(({ what, key }) => `${what} ${key}`)).toEqual([
      'policy payments',
      'nonce ',
      'token maa',
      'issues maa https://a',
    ]);
    const kept = new KeptInquiry(roundTrip(live.facts));
    expect(await kept.ask('nonce', NO_KEY, never)).toEqual(standing);
    expect(await kept.ask('token', () => 'maa', never)).toEqual(token);
    expect(kept.look('issues', () => 'maa https://a', never)).toBe(true);
    expect(kept.notAsked).toBeNull();
  });

  it('are endorsements by what was asked for, and survive JSON as they were', async () => {
    const live = new LiveInquiry(NO_WAITS, true);
    const remembered: unknown[] = [];
    const parts = {
      endorsements: { fetch: async (needs: readonly EndorsementRequest[]) => (needs[0] === SNP ? SET : { snp: null }) },
      remembered: { remember: (...given: unknown[]) => void remembered.push(given) },
    };
    const needs = [[SNP], [TDX], [KEYS, AK]] as const;
    const sets = await gather(parts, needs, CONTEXT, live);
    expect(sets).toEqual([SET, { snp: null }, { snp: null }]);
    expect(remembered).toEqual(needs.map((requests, index) => [requests, sets[index], CONTEXT]));
    expect(live.facts.map(({ key }) => key)).toEqual([
      'amd-snp vcek Milan 0101',
      'intel-tdx 00806f050000 platform',
      'token-keys maa-token https://a k; ak-issuers 30',
    ]);
    const kept = new KeptInquiry(roundTrip(live.facts));
    expect(await gather({ endorsements: { fetch: never } }, needs, CONTEXT, kept)).toEqual(sets);
  });

  it('are not kept where only digests are', async () => {
    const live = new LiveInquiry();
    live.note('policy', 'payments', never);
    expect(live.look('clock', never, () => null)).toBeNull();
    expect(await live.ask('advanced', never, async () => null)).toBeNull();
    expect(live.facts).toEqual([]);
  });

  it('have none for a question whose source failed', async () => {
    const live = new LiveInquiry(NO_WAITS, true);
    await expect(live.ask('nonce', NO_KEY, async () => never())).rejects.toThrow('a source was asked');
    expect(live.facts).toEqual([]);
  });

  it('are given in their order, and the last of them again and again', () => {
    const jumped = { detail: 'jumped', retryAfterSeconds: 1 };
    const kept = new KeptInquiry([jumped, null].map((answer) => ({ what: 'clock', key: '', answer })));
    expect([1, 2, 3].map(() => kept.look('clock', NO_KEY, never))).toEqual([jumped, null, null]);
  });

  it('end judging where a question was not asked then', async () => {
    const kept = new KeptInquiry([{ what: 'accepts', key: 'ita', answer: true }]);
    await expect(kept.ask('nonce', NO_KEY, never)).rejects.toThrow(NotAskedThenError);
    expect(kept.notAsked).toBe('nonce');
    expect(() => kept.look('accepts', () => 'maa', never)).toThrow(NotAskedThenError);
  });

  it('are those of today for questions that are not of then', async () => {
    const kept = new KeptInquiry([{ what: 'nonce', key: '', answer: { origin: 'none' } }], new Set(['nonce']));
    expect(await kept.ask('nonce', NO_KEY, never)).toEqual({ origin: 'none' });
    expect(await kept.ask('endorsements', NO_KEY, async () => SET)).toBe(SET);
    expect(kept.look('early', NO_KEY, () => null)).toBeNull();
  });
});

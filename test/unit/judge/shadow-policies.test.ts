import { describe, expect, it } from 'vitest';
import type { RememberedResets } from '../../../src/core/vtpm-resets.js';
import { LiveInquiry } from '../../../src/judge/inquiry.js';
import type { JoinedVerification } from '../../../src/judge/join.js';
import { shadowResults } from '../../../src/judge/shadow-policies.js';
import { policy } from '../policy/fixture.js';
import { FakeLog } from './fakes.js';
import { ownVerification } from './route-fixture.js';

const FAULT = new Error('a fault of the memory');
const TRACKS = policy({ require: { tpm: { trackResets: true } } });
const REMEMBERED = { state: 'remembered', counts: { resetCount: 7, restartCount: 0 } } as const;

const own = ownVerification();
const JOINED = {
  verification: {
    ...own,
    akThumbprint: 'key',
    claims: { ...own.claims, tpm: { clock: { resetCount: 7, restartCount: 0 } } },
  },
  results: new Map(),
} as unknown as JoinedVerification;

/** Terms of a request, and how often the counts of its vTPM were read. */
function requestUnder({ policies = [policy({})], remembered = async (): Promise<unknown> => REMEMBERED } = {}) {
  const reads: string[] = [];
  const resets = {
    remembered: ({ akThumbprint }: { akThumbprint: string }) => {
      reads.push(akThumbprint);
      return remembered();
    },
  };
  const terms = {
    request: { evidence: { type: 'az-snp-vtpm' } },
    at: new Date('2026-06-01T12:00:00Z'),
    historical: false,
    policies,
    shadow: [TRACKS],
    nonce: { origin: 'none' },
    binding: null,
    resets,
  } as never;
  return { terms, reads };
}

function shadowsOf(terms: never, resets: RememberedResets, log = new FakeLog()) {
  const inTime = { joined: JOINED, verified: null };
  return shadowResults({ early: null, log }, terms, inTime, { appraisals: [], resets }, new LiveInquiry());
}

const LOWER = { state: 'remembered', counts: { resetCount: 8, restartCount: 0 } } as const;
const NOT_READ = { state: 'unavailable', detail: '', retryable: false } as const;

describe('shadow policies', () => {
  it('have no result where appraising by them fails, and the log says so', async () => {
    const log = new FakeLog();
    const { terms } = requestUnder({ remembered: () => Promise.reject(FAULT) });
    expect(await shadowsOf(terms, NOT_READ, log)).toEqual([]);
    expect(log.lines).toEqual([
      { level: 'error', fields: { err: FAULT }, message: 'not judged by the policies of policies.shadow' },
    ]);
  });

  it('read reset counts that no policy of the request tracks', async () => {
    const { terms, reads } = requestUnder();
    const [result] = await shadowsOf(terms, NOT_READ);
    expect(reads).toEqual(['key']);
    expect(result?.reasons).not.toContain('tpm_reset');
  });

  it('compare with the reset counts that the decision read, and read none again', async () => {
    const { terms, reads } = requestUnder({ policies: [TRACKS] });
    const [result] = await shadowsOf(terms, LOWER);
    expect(reads).toEqual([]);
    expect(result).toMatchObject({ outcome: 'deny', reasons: expect.arrayContaining(['tpm_reset']) });
  });
});

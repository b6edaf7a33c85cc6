import { describe, expect, it } from 'vitest';
import { LiveInquiry } from '../../../src/judge/inquiry.js';
import type { Judged } from '../../../src/judge/join.js';
import { judgeBeside } from '../../../src/judge/shadow-policies.js';
import { policy } from '../policy/fixture.js';
import { FakeLog } from './fakes.js';
import { ownVerification } from './route-fixture.js';

const FAULT = new Error('a fault of the memory');

const ASKED = {
  request: { evidence: { type: 'az-snp-vtpm' } },
  at: new Date('2026-06-01T12:00:00Z'),
  historical: false,
  shadow: [policy({ require: { tpm: { trackResets: true } } })],
  nonce: { origin: 'none' },
  binding: null,
  resets: { remembered: () => Promise.reject(FAULT) },
} as never;
const own = ownVerification();
const JUDGED = {
  verification: { ...own, akThumbprint: 'key', claims: { ...own.claims, tpm: { clock: {} } } },
  results: new Map(),
} as unknown as Judged;

describe('policies that are judged beside', () => {
  it('come to nothing where judging by them fails, and the log says so', async () => {
    const log = new FakeLog();
    expect(await judgeBeside(ASKED, JUDGED, new LiveInquiry(), log)).toEqual([]);
    expect(log.lines).toEqual([
      { level: 'error', fields: { err: FAULT }, message: 'not judged by the policies of policies.shadow' },
    ]);
  });
});

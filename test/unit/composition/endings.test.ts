import { describe, expect, it } from 'vitest';
import { Endings } from '../../../src/composition/endings.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import { parsePolicy } from '../../../src/policy/policy-document.js';
import { FakeLog, fixedClock } from '../service/fakes.js';

const clock = fixedClock('2026-06-01T12:00:00Z');

function endingsOf(keyEnds: readonly string[], waiverEnds: readonly string[]): { endings: Endings; log: FakeLog } {
  const entries = keyEnds.map((expires, index) => [
    `caller${index}`,
    { apiKeySha256: index.toString(16).padStart(64, '0'), expires, roles: ['verify'] },
  ]);
  const text = JSON.stringify({ callers: Object.fromEntries(entries) });
  const { callers } = loadConfiguration({ text, environment: {} });
  const policy = parsePolicy(
    JSON.stringify({
      apiVersion: 'veritee/v1',
      id: 'waiving',
      version: 1,
      accepts: ['az-snp-vtpm'],
      minimums: { snp: 'any' },
      waivers: waiverEnds.map((expires) => ({ check: 'nonce_stale', reason: 'known', approver: 'alice', expires })),
    }),
  );
  const log = new FakeLog();
  return { endings: new Endings({ callers: () => callers, policies: () => [policy], clock, log }), log };
}

const said = ({ lines }: FakeLog) => lines.map(({ fields, message }) => [Object(fields).daysLeft, message]);

describe('DEC-14 a warning', () => {
  const ENDED = 'an API key has ended: its caller is refused';
  const SOON = 'an API key ends soon';

  it.each([
    ['2026-06-01T12:00:00Z', [[0, ENDED]]],
    ['2026-06-01T12:00:01Z', [[0, SOON]]],
    ['2026-06-02T12:00:00Z', [[1, SOON]]],
    ['2026-07-01T12:00:00Z', [[30, SOON]]],
    ['2026-07-01T12:00:01Z', []],
  ])('DEC-14 of an API key that ends at %s', (expires, expected) => {
    const { endings, log } = endingsOf([expires], []);
    endings.warnOfApiKeys();
    expect(said(log)).toEqual(expected);
  });

  it.each([
    ['2026-05-31', [[0, 'a waiver has ended: it covers nothing any more']]],
    ['2026-06-01', [[0, 'a waiver has ended: it covers nothing any more']]],
    ['2026-06-02', [[0, 'a waiver ends soon']]],
    ['2026-07-01', [[29, 'a waiver ends soon']]],
    ['2026-07-02', []],
  ])('DEC-14 of a waiver that ends on %s', (expires, expected) => {
    const { endings, log } = endingsOf([], [expires]);
    endings.warnOfWaivers();
    expect(said(log)).toEqual(expected);
  });
});

it('DEC-14 figures are seconds until the end, of keys and waivers', () => {
  const { endings } = endingsOf(['2026-06-01T13:00:00Z', '2026-06-01T11:00:00Z'], ['2026-06-02', '2026-06-01']);
  expect(endings.figures).toEqual({
    apiKeys: [
      { caller: 'caller0', seconds: 3600 },
      { caller: 'caller1', seconds: -3600 },
    ],
    waivers: [
      { policy: 'waiving', waiver: 0, check: 'nonce_stale', seconds: 43_200 },
      { policy: 'waiving', waiver: 1, check: 'nonce_stale', seconds: -43_200 },
    ],
  });
});

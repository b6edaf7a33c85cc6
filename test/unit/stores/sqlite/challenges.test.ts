import { describe, expect, it } from 'vitest';
import {
  admitChallengeKey,
  type ChallengeUser,
  consumeChallenge,
  dropExpired,
  putChallenge,
} from '../../../../src/stores/sqlite/challenges.js';
import { localStores } from '../../log/local-store.js';

const PERIOD = { issuedAt: new Date(0), expiresAt: new Date(1_000) };

const openStore = localStores();

const [KEY, OTHER_KEY] = [0xaaaaaaaaaaaa, 0xbbbbbbbbbbbb];
const US: ChallengeUser = { fingerprint: KEY, epoch: 1 };
const OTHERS: ChallengeUser = { fingerprint: OTHER_KEY, epoch: 1 };
const SCOPE = { tenant: 'a', audience: 'https://gate', policy: 'payments', evidenceType: 'snp' as const };
const ASKED = { tenant: 'a', audience: 'https://gate', policies: ['payments'], evidenceType: 'snp' as const };
const PURPOSE = { audience: 'https://gate', policy: 'payments', evidenceType: 'snp' };

/** A file of challenges of one key, with one that expires at 1 000. */
function filled() {
  const { file } = openStore();
  expect(admitChallengeKey(file, KEY, 0)).toBeNull();
  expect(putChallenge(file, US, 'one', SCOPE, PERIOD)).toBe(true);
  return file;
}

describe('challenges in a SQLite file', () => {
  it('FRS-02 are consumed once, with what they are for', () => {
    const file = filled();
    expect(consumeChallenge(file, US, 'one', ASKED)).toEqual({
      state: 'consumed',
      issuedAt: new Date(0),
      purpose: PURPOSE,
    });
    expect(consumeChallenge(file, US, 'one', ASKED)).toEqual({ state: 'used' });
    expect(consumeChallenge(file, US, 'two', ASKED)).toBe('unknown');
  });

  it('stay what they are where they are asked for under another scope, and tell another tenant nothing', () => {
    const file = filled();
    expect(consumeChallenge(file, US, 'one', { ...ASKED, tenant: 'b' })).toEqual({ state: 'scope' });
    expect(consumeChallenge(file, US, 'one', { ...ASKED, policies: ['other'] })).toEqual({
      state: 'scope',
      purpose: PURPOSE,
    });
    expect(consumeChallenge(file, US, 'one', ASKED)).toMatchObject({ state: 'consumed' });
  });

  it('STO-02 are neither kept nor consumed with another key than that of the file', () => {
    const file = filled();
    expect(putChallenge(file, OTHERS, 'two', SCOPE, PERIOD)).toBe(false);
    expect(consumeChallenge(file, OTHERS, 'one', ASKED)).toBe('foreign');
    expect(consumeChallenge(file, US, 'one', ASKED)).toMatchObject({ state: 'consumed' });
  });

  it('STO-02 keep another key out until the last of them has expired, used or not', () => {
    const file = filled();
    consumeChallenge(file, US, 'one', ASKED);
    expect(admitChallengeKey(file, OTHER_KEY, 999)).toBe(1_000);
    expect(admitChallengeKey(file, KEY, 999)).toBeNull();
    expect(admitChallengeKey(file, OTHER_KEY, 1_000)).toBeNull();
    expect(consumeChallenge(file, US, 'one', ASKED)).toBe('foreign');
  });

  it('STO-02 of a file that says nothing of its key are of the first that comes', () => {
    const file = filled();
    file.run("DELETE FROM meta WHERE name = 'challenge_key'", []);
    expect(admitChallengeKey(file, OTHER_KEY, 0)).toBeNull();
    expect(admitChallengeKey(file, KEY, 0)).toBe(1_000);
  });

  it('go once they have expired', () => {
    const file = filled();
    dropExpired(file, 1_000);
    expect(consumeChallenge(file, US, 'one', ASKED)).toMatchObject({ state: 'consumed' });
    dropExpired(file, 1_001);
    expect(consumeChallenge(file, US, 'one', ASKED)).toBe('unknown');
  });
});

it('STO-01 are void for whoever opened the file later, and stay used', () => {
  const file = filled();
  putChallenge(file, US, 'two', SCOPE, PERIOD);
  consumeChallenge(file, US, 'one', ASKED);
  const later = { ...US, epoch: 2 };
  expect(consumeChallenge(file, later, 'one', ASKED)).toEqual({ state: 'used' });
  expect(consumeChallenge(file, later, 'two', ASKED)).toBe('void');
  expect(consumeChallenge(file, later, 'two', { ...ASKED, tenant: 'b' })).toEqual({ state: 'scope' });
  expect(consumeChallenge(file, US, 'two', ASKED)).toMatchObject({ state: 'consumed' });
});

it('STO-07 go a thousand at a time once they have expired', () => {
  const file = filled();
  file.run(
    `INSERT INTO challenges (id, epoch, tenant, issued_at, expires_at)
     WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500) SELECT 'id-' || i, 1, 'b', 0, 500 FROM n`,
    [],
  );
  expect([dropExpired(file, 600), dropExpired(file, 600), dropExpired(file, 600)]).toEqual([1_000, 500, 0]);
  expect(file.number('SELECT count(*) FROM challenges', [])).toBe(1);
});

import { describe, expect, it } from 'vitest';
import {
  admitChallengeKey,
  CAPACITY,
  consumeChallenge,
  dropExpired,
  putChallenge,
} from '../../../../src/stores/sqlite/challenges.js';
import type { SqlValue } from '../../../../src/stores/sqlite/sqlite-file.js';
import { localStores } from '../../log/local-store.js';

const PERIOD = { issuedAt: new Date(0), expiresAt: new Date(1_000) };

const openStore = localStores();

const [KEY, OTHER_KEY] = [0xaaaaaaaaaaaa, 0xbbbbbbbbbbbb];
const SCOPE = { tenant: 'a', audience: 'https://gate', policy: 'payments', evidenceType: 'snp' as const };
const ASKED = { tenant: 'a', audience: 'https://gate', policies: ['payments'], evidenceType: 'snp' as const };
const PURPOSE = { audience: 'https://gate', policy: 'payments', evidenceType: 'snp' };

/** A file of challenges of one key, with one that expires at 1 000. */
function filled() {
  const { file } = openStore();
  expect(admitChallengeKey(file, KEY, 0)).toBeNull();
  expect(putChallenge(file, KEY, 'one', SCOPE, PERIOD)).toBe('kept');
  return file;
}

describe('challenges in a SQLite file', () => {
  it('FRS-02 are consumed once, with what they are for', () => {
    const file = filled();
    expect(consumeChallenge(file, KEY, 'one', ASKED)).toEqual({
      state: 'consumed',
      issuedAt: new Date(0),
      purpose: PURPOSE,
    });
    expect(consumeChallenge(file, KEY, 'one', ASKED)).toEqual({ state: 'used' });
    expect(consumeChallenge(file, KEY, 'two', ASKED)).toEqual({ state: 'unknown' });
  });

  it('stay what they are where they are asked for under another scope, and tell another tenant nothing', () => {
    const file = filled();
    expect(consumeChallenge(file, KEY, 'one', { ...ASKED, tenant: 'b' })).toEqual({ state: 'scope' });
    expect(consumeChallenge(file, KEY, 'one', { ...ASKED, policies: ['other'] })).toEqual({
      state: 'scope',
      purpose: PURPOSE,
    });
    expect(consumeChallenge(file, KEY, 'one', ASKED)).toMatchObject({ state: 'consumed' });
  });

  it('STO-02 are neither kept nor consumed with another key than that of the file', () => {
    const file = filled();
    expect(putChallenge(file, OTHER_KEY, 'two', SCOPE, PERIOD)).toBe('foreign');
    expect(consumeChallenge(file, OTHER_KEY, 'one', ASKED)).toBeNull();
    expect(consumeChallenge(file, KEY, 'one', ASKED)).toMatchObject({ state: 'consumed' });
  });

  it('STO-02 keep another key out until the last of them has expired, used or not', () => {
    const file = filled();
    consumeChallenge(file, KEY, 'one', ASKED);
    expect(admitChallengeKey(file, OTHER_KEY, 999)).toBe(1_000);
    expect(admitChallengeKey(file, KEY, 999)).toBeNull();
    expect(admitChallengeKey(file, OTHER_KEY, 1_000)).toBeNull();
    expect(consumeChallenge(file, KEY, 'one', ASKED)).toBeNull();
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
    expect(consumeChallenge(file, KEY, 'one', ASKED)).toMatchObject({ state: 'consumed' });
    dropExpired(file, 1_001);
    expect(consumeChallenge(file, KEY, 'one', ASKED)).toEqual({ state: 'unknown' });
  });
});

describe('room for challenges', () => {
  it('STO-07 ends for a tenant, and for no other', () => {
    const { file } = openStore();
    file.transaction(() => admitChallengeKey(file, 7, 0));
    const scope = { audience: null, policy: null, evidenceType: null };
    file.transaction(() =>
      file.run(
        `INSERT INTO challenges (id, tenant, expires_at)
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT 'id-' || i, 'full', 0 FROM n`,
        [CAPACITY],
      ),
    );
    expect(file.transaction(() => putChallenge(file, 7, 'a', { ...scope, tenant: 'full' }, PERIOD))).toBe('full');
    expect(file.transaction(() => putChallenge(file, 7, 'b', { ...scope, tenant: 'other' }, PERIOD))).toBe('kept');
  });

  it('STO-07 is known without counting: no statement of a challenge that is kept reads all of its tenant', () => {
    const file = filled();
    const asked: string[] = [];
    const watched = new Proxy(file, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== 'function') return member;
        return (sql: string, values: readonly SqlValue[]) => {
          if (name !== 'transaction') asked.push(sql);
          return member.call(target, sql, values);
        };
      },
    });
    expect(putChallenge(watched, KEY, 'two', SCOPE, PERIOD)).toBe('kept');
    const plans = asked.map((sql) => file.rows(`EXPLAIN QUERY PLAN ${sql}`, []).map((row) => row.at(-1)));
    expect(plans.flat().filter((step) => String(step).includes('challenges'))).toEqual([]);
    expect(file.rows('SELECT tenant, held FROM challenge_counts', [])).toEqual([['a', 2]]);
  });

  it('STO-07 comes back as expired ones go, a thousand at a time', () => {
    const file = filled();
    file.run(
      `INSERT INTO challenges (id, tenant, expires_at)
       WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500) SELECT 'id-' || i, 'b', 500 FROM n`,
      [],
    );
    const held = () => file.rows('SELECT tenant, held FROM challenge_counts ORDER BY tenant', []);
    expect([dropExpired(file, 600), held()]).toEqual([
      1_000,
      [
        ['a', 1],
        ['b', 500],
      ],
    ]);
    expect([dropExpired(file, 600), dropExpired(file, 600)]).toEqual([500, 0]);
    expect(held()).toEqual([
      ['a', 1],
      ['b', 0],
    ]);
  });
});

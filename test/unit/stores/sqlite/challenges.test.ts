import { describe, expect, it } from 'vitest';
import { admitChallengeKey, CAPACITY, putChallenge } from '../../../../src/stores/sqlite/challenges.js';
import { localStores } from '../../decision-log/local-store.js';

const PERIOD = { issuedAt: new Date(0), expiresAt: new Date(1) };

const openStore = localStores();

describe('room for challenges', () => {
  it('ends for a tenant, and for no other', () => {
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
});

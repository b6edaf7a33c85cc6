import { describe, expect, it } from 'vitest';
import { answerTogether } from '../../../../src/stores/sqlite/operations.js';
import { localStores } from '../../log/local-store.js';

describe('calls that came together', () => {
  const store = localStores();

  it('are not run where nobody waits for them any longer', () => {
    const { file } = store();
    const claim = (id: number, ms: number) => ({ id, name: 'claimPruning' as const, args: [new Date(ms), 500] });
    const last = { id: 2, name: 'last' as const, args: ['a chain'] };
    expect(answerTogether(file, [claim(1, 1000), last, { forget: 1 }])).toEqual([
      { id: 1, error: 'the caller gave up before the operation started' },
      { id: 2, value: null },
    ]);
    // The first claim sets the mark that the next one finds: the forgotten one set none.
    expect(answerTogether(file, [claim(3, 2000), claim(4, 3000)])).toEqual([
      { id: 3, value: false },
      { id: 4, value: true },
    ]);
  });

  it('write in their order, and all fail where one does', () => {
    const { file } = store();
    const user = { fingerprint: 1, epoch: 2 };
    const scope = { tenant: 'a', audience: null, policy: null, evidenceType: null };
    const asked = { tenant: 'a', audience: null, policies: [], evidenceType: 'snp' };
    const period = { issuedAt: new Date(0), expiresAt: new Date(1000) };
    const put = (id: number) => ({ id, name: 'putChallenge' as const, args: [user, 'one', scope, period] });
    const calls = [
      { id: 1, name: 'admitChallengeKey' as const, args: [user.fingerprint, 0] },
      put(2),
      { id: 3, name: 'consumeChallenge' as const, args: [user, 'one', asked] },
      { id: 4, name: 'dropExpired' as const, args: [2000] },
    ];
    const consumed = { state: 'consumed', issuedAt: new Date(0) };
    expect(answerTogether(file, calls)).toMatchObject([{ value: null }, { value: true }, { value: consumed }, {}]);
    // The same id twice.
    const error = expect.stringContaining('UNIQUE constraint failed');
    expect(answerTogether(file, [put(5), put(6)])).toEqual([
      { id: 5, error },
      { id: 6, error },
    ]);
  });
});

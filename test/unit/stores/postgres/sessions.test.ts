import { describe, expect, it } from 'vitest';
import type { PostgresSession } from '../../../../src/stores/postgres/session.js';
import { Sessions } from '../../../../src/stores/postgres/sessions.js';

const LONG = { timeoutMs: 60_000 };
const SOON = { timeoutMs: 20 };

/** A connection to nothing. */
class Connection {
  hasEnded = false;
  readonly statements: string[] = [];
  #notices: string[] = [];

  destroy(): void {
    this.hasEnded = true;
  }

  async run(text: string): Promise<number> {
    this.statements.push(text);
    if (text.startsWith('notice')) this.#notices.push(text);
    return 0;
  }

  takeNotices(): readonly string[] {
    return this.#notices.splice(0);
  }
}

function signal() {
  let give = () => {};
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { given, give };
}

/** So many connections at a time, each open once `opening` is over. */
function sessionsOf(max: number, opening: Promise<void> = Promise.resolve()) {
  const made: Connection[] = [];
  const connect = async () => {
    const connection = new Connection();
    made.push(connection);
    await opening;
    return connection as unknown as PostgresSession;
  };
  return { made, sessions: new Sessions(connect, max) };
}

describe('connections to PostgreSQL that work shares', () => {
  it('STO-04 are ended after work that failed, and used again after any other', async () => {
    const { made, sessions } = sessionsOf(1);
    await sessions.use(LONG, async () => 1);
    await expect(sessions.use(LONG, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(made.map(({ hasEnded }) => hasEnded)).toEqual([true]);
    await sessions.use(LONG, async () => 1);
    expect(made.map(({ hasEnded }) => hasEnded)).toEqual([true, false]);
  });

  it('STO-07 take no place from who still waits, where the time of one that had its turn is over', async () => {
    const { sessions } = sessionsOf(1);
    const [first, second] = [signal(), signal()];
    const holding = sessions.use(LONG, () => first.given);
    const late = sessions.use(SOON, () => second.given);
    const waiting = sessions.use(LONG, async () => 'served');
    first.give();
    await holding;
    await expect(late).rejects.toThrow('no answer within 20 ms');
    second.give();
    expect(await waiting).toBe('served');
  });

  it('are kept for the next one where they were only slow to open', async () => {
    const opening = signal();
    const { made, sessions } = sessionsOf(1, opening.given);
    await expect(sessions.use(SOON, async () => 1)).rejects.toThrow('no answer within 20 ms');
    opening.give();
    expect(await sessions.use(LONG, async () => 2)).toBe(2);
    expect(made.map(({ hasEnded }) => hasEnded)).toEqual([false]);
  });

  it('are all ended where they are closed, and nobody gets one any more', async () => {
    const { made, sessions } = sessionsOf(2);
    const [idle, used] = [signal(), signal()];
    const [one, other] = [sessions.use(LONG, () => idle.given), sessions.use(LONG, () => used.given)];
    const waiting = sessions.use(LONG, async () => 1);
    const refused = expect(waiting).rejects.toThrow('the store is closed');
    await new Promise(setImmediate);
    sessions.close();
    expect(made.map(({ hasEnded }) => hasEnded)).toEqual([true, true]);
    idle.give();
    used.give();
    await Promise.all([one, other, refused]);
    await expect(sessions.use(LONG, async () => 1)).rejects.toThrow('the store is closed');
    expect(made).toHaveLength(2);
  });

  it('STO-04 a transaction has failed where the server says something at COMMIT, and not where it does before', async () => {
    const { made: begun, sessions } = sessionsOf(1);
    expect(await sessions.transaction(LONG, (session) => session.run('notice of a statement'))).toBe(0);
    // A backend that waits for a lock does not notice that its client left.
    expect(begun[0]?.statements[0]).toMatch(/SET LOCAL statement_timeout = 60000$/);
    const { made, sessions: noticed } = sessionsOf(1);
    const committing = noticed.transaction(LONG, async () => {
      const [connection] = made as [Connection];
      const run = connection.run.bind(connection);
      connection.run = (text) => run(text === 'COMMIT' ? 'notice of COMMIT' : text);
    });
    await expect(committing).rejects.toThrow('the server said at COMMIT: notice of COMMIT');
    expect(made.map(({ hasEnded }) => hasEnded)).toEqual([true]);
  });
});

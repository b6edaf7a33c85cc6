import { describe, expect, it, vi } from 'vitest';
import { type DecisionQuery, StoreUnavailableError } from '../../../src/core/decision-log.js';
import type { JsonObject } from '../../../src/core/json.js';
import { apparentDecision } from '../../../src/log/record-content.js';
import { Retention } from '../../../src/log/retention.js';
import { verifyLog } from '../../../src/log/verify-log.js';
import { type LocalStore, localStores } from './local-store.js';
import { judged, KeptLog, makePruningDue, openLog, policy, SetClock, SIGNER, signerOf } from './recorded.js';
import { release, releasing } from './released.js';

const openStore = localStores();

const ALL: DecisionQuery = { tenant: 'default', policy: null, decision: null, since: null, cursor: null, limit: 100 };

describe('retention', () => {
  const old = new Date('2026-01-10T00:00:00Z');
  const NOT_DROPPED =
    'content of old decisions was not dropped: their records are not what the index says; veritee decisions verify says more';

  /** Places of records without content. */
  const droppedOf = async (store: LocalStore) =>
    (await store.records(null, 1000)).filter(({ content }) => content === null).map(({ seq }) => seq);

  /** An old decision, two of today, and policies. */
  async function withOldAndNew() {
    const store = openStore();
    const opened = await openLog(store);
    await opened.log.record(judged({ decidedAt: old }));
    for (let count = 0; count < 2; count++) await opened.log.record(judged());
    await opened.log.noteChange('policies', {});
    return { store, ...opened };
  }

  it('AUD-03 drops salt, content and index of what is too old, says so, and the log verifies', async () => {
    const store = openStore();
    const clock = new SetClock();
    const now = clock.at;
    clock.at = old;
    const { log, chain } = await openLog(store, { clock });
    clock.at = now;
    for (let count = 0; count < 450; count++) {
      await log.record(judged({ decidedAt: old, policies: [policy('payments')] }));
    }
    await log.record(judged());
    await makePruningDue(store);
    log.watch();
    await vi.waitFor(
      async () => expect(await store.prunable(new Date('2026-01-14T12:00:00Z'), null, 1)).toEqual([]),
      10_000,
    );
    await log.close();
    const records = await store.records(null, 1000);
    expect(records.filter(({ salt, content }) => salt === null && content === null)).toHaveLength(450);
    expect((await store.list({ ...ALL, policy: 'payments' })).length).toBe(0);
    expect(await store.list(ALL)).toHaveLength(1);
    expect(
      records.map(({ content }) => content).filter((content) => content?.includes('"kind":"pruned"')),
    ).toHaveLength(1);
    const report = await verifyLog(store, { keptHeads: [], keys: null });
    expect(report).toMatchObject({ problems: [], chains: [{ chain, pruned: 450 }] });
  });

  it('drops what is older than it is kept, to the millisecond, and nothing else', async () => {
    const store = openStore();
    const { log, clock } = await openLog(store);
    const before = clock.at.getTime() - 86_400_000;
    const [gone, kept] = [judged({ decidedAt: new Date(before - 1) }), judged({ decidedAt: new Date(before) })];
    for (const each of [gone, kept, judged()]) await log.record(each);
    await makePruningDue(store);
    log.watch();
    await vi.waitFor(async () => expect(await store.find(gone.decision.decisionId)).toBeNull());
    await log.close();
    expect(await store.find(kept.decision.decisionId)).toMatchObject({ record: { seq: 2 } });
    expect(await store.list(ALL)).toHaveLength(2);
  });

  it('AUD-01 drops nothing before a signed head vouches for the record that says so', async () => {
    const store = openStore();
    const { log, chain } = await openLog(store);
    await log.record(judged({ decidedAt: old }));
    const signed: number[] = [];
    const prune = vi.spyOn(store, 'prune').mockImplementation(async () => {
      signed.push(...(await store.heads(chain, 0, 10)).map(({ seq }) => seq));
      return 0;
    });
    await makePruningDue(store);
    log.watch();
    await vi.waitFor(() => expect(prune).toHaveBeenCalled(), 10_000);
    // After the start and the decision.
    await vi.waitFor(() => expect(signed).toContain(2), 10_000);
    await log.close();
  });

  it('AUD-01 drops nothing while that head cannot be signed', async () => {
    const store = openStore();
    const signer = signerOf(SIGNER);
    const sign = vi.spyOn(signer, 'sign');
    const { log, lines } = await openLog(store, { signer });
    await log.record(judged({ decidedAt: old }));
    const prune = vi.spyOn(store, 'prune');
    sign.mockRejectedValue(new Error('the vault does not answer'));
    await makePruningDue(store);
    log.watch();
    await vi.waitFor(
      () => expect(lines.messages('error')).toContain('the head of the decision log was not signed'),
      10_000,
    );
    await log.close();
    expect(prune).not.toHaveBeenCalled();
    expect(await store.list(ALL)).toHaveLength(1);
  });

  it.each([
    ['the id of a later one', "decisions SET decision_id = '00000000-0000-7000-8000-000000000000' WHERE seq = 3", [1]],
    ['the place of an old one', 'decisions SET seq = 4 WHERE seq = 1', []],
  ])('AUD-01 drops nothing on the word of an index in which somebody changed %s', async (_, changed, dropped) => {
    const { store, log, lines, chain } = await withOldAndNew();
    store.file.run(`UPDATE ${changed}`, []);
    await makePruningDue(store);
    log.watch();
    await vi.waitFor(() => expect(lines.messages('error')).toEqual([NOT_DROPPED]), 10_000);
    await vi.waitFor(async () => expect(await droppedOf(store)).toEqual(dropped), 10_000);
    await log.close();
    const { problems } = await verifyLog(store, { keptHeads: [], keys: [SIGNER.jwk] });
    expect(problems[0]).toMatchObject({ code: 'index_mismatch', chain });
  });

  it.each([
    ['was changed', "content = replace(content, 'gate', 'goat')"],
    ['is gone', 'content = NULL, salt = NULL'],
    ['was written anew by another hand', `hash = '${'ab'.repeat(32)}'`],
    ['has a salt of another length', 'salt = substr(salt, 1, 31)'],
    ['is about another decision', "content = replace(content, 'decisionId', 'decisionIt')"],
  ])('AUD-01 drops and signs nothing where the old record %s', async (_, changed) => {
    const { store, log, lines } = await withOldAndNew();
    const [decisionId] = await store.prunable(new Date('2026-01-14T12:00:00Z'), null, 1);
    store.file.run(`UPDATE records SET ${changed} WHERE seq = 1`, []);
    const prune = vi.spyOn(store, 'prune');
    await makePruningDue(store);
    log.watch();
    await vi.waitFor(() => expect(lines.messages('error')).toEqual([NOT_DROPPED]), 10_000);
    await log.close();
    expect(prune).not.toHaveBeenCalled();
    expect(lines.lines.find(({ level }) => level === 'error')?.fields).toEqual({ decisionId, decisions: 1 });
  });

  it('AUD-01 drops nothing of a decision whose release was changed, or is of another chain', async () => {
    for (const changed of ['content', 'chain'] as const) {
      const store = openStore();
      const { log, lines } = await openLog(store);
      const { decision } = await release(log, releasing({ decidedAt: old }));
      const find = store.find;
      store.find = async (id) => {
        const found = await find(id);
        const releaseRecords = found?.releaseRecords.map((record) => ({ ...record, [changed]: 'other' })) ?? [];
        return found === null ? null : { ...found, releaseRecords };
      };
      expect(await log.prune(new Date('2026-01-15T00:00:00Z'))).toBe(0);
      expect(lines.messages('error')).toEqual([NOT_DROPPED]);
      expect((await find(decision.decisionId))?.record.content).not.toBeNull();
    }
  });

  it('AUD-01 drops by the date of the record and to the millisecond, whatever the index gives', async () => {
    const store = openStore();
    const { log } = await openLog(store);
    const before = new Date('2026-01-12T00:00:00Z');
    const [gone, kept] = [judged({ decidedAt: new Date(before.getTime() - 1) }), judged({ decidedAt: before })];
    for (const each of [gone, kept]) await log.record(each);
    const prunable = store.prunable;
    store.prunable = (time, after, limit) => prunable(new Date(time.getTime() + 1), after, limit);
    expect(await log.prune(before)).toBe(1);
    expect(await store.find(gone.decision.decisionId)).toBeNull();
    expect(await store.find(kept.decision.decisionId)).not.toBeNull();
  });

  it('drops content of other chains where one was changed', async () => {
    const { store, log: ended } = await withOldAndNew();
    await ended.close();
    store.file.run("UPDATE records SET content = replace(content, 'gate', 'goat') WHERE seq = 1", []);
    const { log, lines } = await openLog(store);
    const gone = judged({ decidedAt: old });
    await log.record(gone);
    await makePruningDue(store);
    log.watch();
    await vi.waitFor(async () => expect(await store.find(gone.decision.decisionId)).toBeNull(), 10_000);
    await log.close();
    expect(lines.messages('error')).toEqual([NOT_DROPPED]);
  });

  it('does not hold a stop until all is dropped', async () => {
    const store = openStore();
    const { log, lines } = await openLog(store);
    for (let count = 0; count < 450; count++) await log.record(judged({ decidedAt: old }));
    const prune = vi.spyOn(store, 'prune');
    await makePruningDue(store);
    log.watch();
    await log.close();
    expect(prune.mock.calls.length).toBeLessThan(3);
    expect(lines.messages('error')).toEqual([]);
    expect((await verifyLog(store, { keptHeads: [], keys: null })).problems).toEqual([]);
  });

  it('leaves what cannot be dropped now for later', async () => {
    const store = openStore();
    const { log, lines } = await openLog(store);
    await log.record(judged({ decidedAt: old }));
    vi.spyOn(store, 'prune').mockRejectedValueOnce(new StoreUnavailableError('gone'));
    await makePruningDue(store);
    log.watch();
    await vi.waitFor(
      () => expect(lines.messages('error')).toEqual(['content of old decisions could not be dropped']),
      10_000,
    );
    await log.close();
  });
});

describe('retention and the clock', () => {
  const [HOUR_MS, DAY_MS] = [3_600_000, 86_400_000];
  const NOW = new Date('2026-01-15T12:00:00Z').getTime();
  const daysAgo = (days: number) => new Date(NOW - days * DAY_MS);

  /** A clock of which wall time can jump. */
  class JumpingClock extends SetClock {
    monotonic = 0;
    override monotonicMs = () => this.monotonic;

    pass(ms: number): void {
      this.monotonic += ms;
      this.jump(ms);
    }

    jump(ms: number): void {
      this.at = new Date(this.at.getTime() + ms);
    }
  }

  /** A process that keeps a log for so many days. */
  function keeping(store: LocalStore, retentionDays = 5) {
    const clock = new JumpingClock();
    const statements: JsonObject[] = [];
    const announce = vi.fn(async (statement: JsonObject) => {
      statements.push(statement);
      return true;
    });
    const isClockInDoubt = () => clock.isInDoubt;
    const retentionMs = retentionDays * DAY_MS;
    const retention = new Retention({ store, clock, isClockInDoubt, log: new KeptLog(), retentionMs, announce });
    const later = (ms: number) => {
      clock.pass(ms);
      return retention.run();
    };
    return { clock, statements, announce, retention, later };
  }

  /** A store with a decision of each of these days ago, in this order. */
  async function filled(...days: readonly number[]): Promise<LocalStore> {
    const store = openStore();
    const { log } = await openLog(store);
    for (const each of days) await log.record(judged({ decidedAt: daysAgo(each) }));
    return store;
  }

  /** Days ago, of the decisions that are there. */
  async function kept(store: LocalStore): Promise<readonly number[]> {
    const records = (await store.records(null, 2000)).map(({ content }) => apparentDecision(content ?? ''));
    const dates = records.flatMap(({ decidedAt }) => (decidedAt === null ? [] : [Date.parse(decidedAt)]));
    return dates.map((date) => (NOW - date) / DAY_MS);
  }

  it('DLG-01 drops each decision by its own date, also one that is dated a year back among others', async () => {
    const store = await filled(1, 1, 365, 1, 0);
    await makePruningDue(store);
    const { retention, statements } = keeping(store);
    await retention.run();
    expect(await kept(store)).toEqual([1, 1, 1, 0]);
    const [{ chain = '' } = {}] = await store.chains();
    expect(statements).toMatchObject([{ chains: [{ chain, from: 3, seq: 3 }] }]);
  });

  it('AUD-01 names no record between two whose content it drops', async () => {
    const store = await filled(365, 1, 365, 0);
    await makePruningDue(store);
    const { retention, statements } = keeping(store);
    await retention.run();
    expect(await kept(store)).toEqual([1, 0]);
    expect(statements).toMatchObject([
      {
        chains: [
          { from: 1, seq: 1 },
          { from: 3, seq: 3 },
        ],
      },
    ]);
  });

  it('DLG-01 drops first a day after the first start', async () => {
    const store = await filled(7, 0);
    const { retention, later } = keeping(store);
    await retention.run();
    await later(DAY_MS - 1);
    expect(await kept(store)).toEqual([7, 0]);
    await later(1);
    expect(await kept(store)).toEqual([0]);
  });

  it('DLG-01 drops at most two days of decisions a day where the clock is a year ahead, and jumps on', async () => {
    const store = await filled(4, 3.5, 3, 2, 1, 0);
    await makePruningDue(store);
    const { clock, retention, later } = keeping(store);
    clock.jump(365 * DAY_MS);
    await retention.run();
    expect(await kept(store)).toEqual([2, 1, 0]);
    for (let count = 0; count < 23; count++) {
      clock.jump(2 * DAY_MS);
      await later(HOUR_MS);
    }
    expect(await kept(store)).toEqual([2, 1, 0]);
    await later(HOUR_MS);
    expect(await kept(store)).toEqual([0]);
  });

  it('DLG-01 drops nothing before its time once a clock that was a year ahead at a start is right again', async () => {
    const store = await filled(4, 3, 2, 1, 0);
    await makePruningDue(store);
    const ahead = keeping(store);
    ahead.clock.jump(365 * DAY_MS);
    await ahead.retention.run();
    expect(await kept(store)).toEqual([2, 1, 0]);
    const right = keeping(store);
    await right.retention.run();
    const left: (readonly number[])[] = [];
    for (let day = 0; day < 5; day++) {
      await right.later(DAY_MS + 1);
      left.push(await kept(store));
    }
    expect(left).toEqual([[2, 1, 0], [2, 1, 0], [1, 0], [0], []]);
  });

  it('DLG-01 drops nothing while the clock is in doubt, and goes on once it is not', async () => {
    const store = await filled(7, 0);
    await makePruningDue(store);
    const { clock, retention, later } = keeping(store);
    const claimPruning = vi.spyOn(store, 'claimPruning');
    clock.isInDoubt = true;
    await retention.run();
    expect(claimPruning).not.toHaveBeenCalled();
    expect(await kept(store)).toEqual([7, 0]);
    clock.isInDoubt = false;
    await later(HOUR_MS);
    expect(await kept(store)).toEqual([0]);
  });

  it.each(['before the record of it', 'behind the record of it'])(
    'DLG-01 stops where the clock jumps %s, and drops what was due an hour later',
    async (when) => {
      const store = await filled(7, 0);
      await makePruningDue(store);
      const { clock, announce, retention, later } = keeping(store);
      const jump = async () => {
        clock.isInDoubt = true;
        return true;
      };
      const { find } = store;
      if (when === 'behind the record of it') announce.mockImplementationOnce(jump);
      else store.find = async (id) => ((await jump()) ? find(id) : null);
      await retention.run();
      expect(await kept(store)).toEqual([7, 0]);
      store.find = find;
      clock.isInDoubt = false;
      await later(HOUR_MS);
      expect(await kept(store)).toEqual([0]);
      expect(announce).toHaveBeenCalledTimes(when === 'behind the record of it' ? 2 : 1);
    },
  );

  it('DLG-01 drops at most two days with a retention of one day and a clock two days off', async () => {
    const store = await filled(2.5, 2, 0.5, 0.4, 0);
    await makePruningDue(store);
    const { clock, retention, statements, later } = keeping(store, 1);
    clock.jump(2 * DAY_MS);
    await retention.run();
    await later(DAY_MS - 1);
    expect(await kept(store)).toEqual([0.5, 0.4, 0]);
    expect(statements).toMatchObject([{ before: daysAgo(0.5).toISOString() }]);
  });

  it('DLG-01 makes up for a week of pause by two days a day', async () => {
    const store = await filled(5, 4.5, 3, 2, 1, 0);
    await makePruningDue(store);
    const { clock, retention, later } = keeping(store);
    clock.jump(7 * DAY_MS);
    await retention.run();
    const left = [await kept(store)];
    for (let day = 0; day < 3; day++) {
      await later(DAY_MS);
      left.push(await kept(store));
    }
    expect(left).toEqual([[3, 2, 1, 0], [1, 0], [], []]);
  });

  it('DLG-01 drops once a day where the service is started anew each hour', async () => {
    const store = await filled(12, 11, 10, 9, 8, 7, 6);
    await makePruningDue(store);
    const left: number[] = [];
    for (let hour = 0; hour <= 48; hour++) {
      const { clock, retention } = keeping(store, 1);
      clock.jump(hour * HOUR_MS);
      await retention.run();
      left.push((await kept(store)).length);
    }
    expect([left[0], left[23], left[24], left[47], left[48]]).toEqual([5, 5, 3, 3, 1]);
  });

  it.each(['the drop', 'the record of it'])(
    'DLG-01 tries %s again that failed, and no more than that',
    async (what) => {
      const store = await filled(9, 8, 6, 0);
      await makePruningDue(store);
      const { announce, retention, later } = keeping(store);
      if (what === 'the drop') vi.spyOn(store, 'prune').mockRejectedValueOnce(new StoreUnavailableError('gone'));
      else announce.mockResolvedValueOnce(false);
      await retention.run();
      expect(await kept(store)).toEqual([9, 8, 6, 0]);
      for (let count = 0; count < 3; count++) await later(HOUR_MS);
      expect(await kept(store)).toEqual([6, 0]);
    },
  );

  it('DLG-01 drops whatever is dated before a time that the operator names, in parts', async () => {
    const store = openStore();
    const { log } = await openLog(store);
    await Promise.all(Array.from({ length: 1100 }, () => log.record(judged({ decidedAt: daysAgo(400) }))));
    for (const days of [300, 2, 1]) await log.record(judged({ decidedAt: daysAgo(days) }));
    const { retention, statements } = keeping(store);
    expect(await retention.prune(daysAgo(1))).toBe(1102);
    expect(await store.list(ALL)).toHaveLength(1);
    expect(statements).toMatchObject([{ before: daysAgo(1).toISOString() }, { before: daysAgo(1).toISOString() }]);
  });
});

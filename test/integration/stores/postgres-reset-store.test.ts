import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { PostgresResetMemory } from '../../../src/stores/postgres/postgres-reset-store.js';
import { RecordingLog } from '../../unit/endorsements/recording-log.js';
import { PATIENT } from './postgres-challenges.js';
import { PostgresLogs } from './postgres-logs.js';
import { isWithoutPostgres, PostgresServer } from './postgres-server.js';

const AK = 'a'.repeat(43);
const MAXIMUM = 2 ** 32 - 1;
const at = (resetCount: number, restartCount = 0) => ({ resetCount, restartCount });

let logs: PostgresLogs;

interface Opening {
  readonly tenant?: string;
  readonly log?: RecordingLog;
  readonly capacity?: number;
}

async function open({ tenant = 'default', log = new RecordingLog(), capacity }: Opening = {}) {
  return new PostgresResetMemory({ server: await logs.connect(), tenant, log, timeoutMs: 10_000, capacity });
}

describe.skipIf(isWithoutPostgres('reset counts in PostgreSQL'))('reset counts in PostgreSQL', () => {
  beforeAll(async () => {
    logs = new PostgresLogs(await PostgresServer.start());
    await logs.migrate();
  });

  beforeEach(() => logs.sql('TRUNCATE reset_counts'));

  afterEach(() => logs.close());

  afterAll(() => logs.server.close());

  it('TPM-10 are none where nothing is kept', async () => {
    expect(await (await open()).highest(AK)).toBeNull();
  });

  it('TPM-10 are known to every replica once one has noted them, and only grow', async () => {
    const [one, other] = [await open(), await open()];
    expect(await one.advance(AK, at(9, 2))).toEqual(at(9, 2));
    expect(await other.highest(AK)).toEqual(at(9, 2));
    for (const [given, highest] of [
      [at(8, 7), at(9, 2)],
      [at(9, 1), at(9, 2)],
      [at(9, 2), at(9, 2)],
      [at(9, 3), at(9, 3)],
      [at(10, 0), at(10, 0)],
      [at(9, 9), at(10, 0)],
    ] as const) {
      expect(await other.advance(AK, given)).toEqual(highest);
      expect(await one.highest(AK)).toEqual(highest);
    }
  });

  it('TPM-10 are numbers of 32 bits, the highest too', async () => {
    const memory = await open();
    expect(await memory.advance(AK, at(MAXIMUM, MAXIMUM))).toEqual(at(MAXIMUM, MAXIMUM));
    expect(await memory.highest(AK)).toEqual(at(MAXIMUM, MAXIMUM));
  });

  it('TPM-10 are the highest of a hundred that replicas note at once', async () => {
    const memories = [await open(), await open()];
    const given = Array.from({ length: 100 }, (_, index) => at((index * 37) % 100, index));
    const results = await Promise.all(given.map((counts, index) => memories[index % 2]?.advance(AK, counts)));
    expect(results[given.findIndex(({ resetCount }) => resetCount === 99)]?.resetCount).toBe(99);
    expect((await memories[0]?.highest(AK))?.resetCount).toBe(99);
  });

  it('TPM-10 of one tenant are no other tenant’s', async () => {
    const [one, other] = [await open({ tenant: 'one' }), await open({ tenant: 'two' })];
    await one.advance(AK, at(9));
    expect(await other.highest(AK)).toBeNull();
    expect(await other.advance(AK, at(1))).toEqual(at(1));
    expect(await one.highest(AK)).toEqual(at(9));
  });

  it('TPM-10 are out of reach while the server is gone, which the log says once, and known again afterwards', async () => {
    const log = new RecordingLog();
    const memory = await open({ log });
    await memory.advance(AK, at(9));
    await logs.server.stop('immediate');
    for (let count = 0; count < 2; count++) await expect(memory.highest(AK)).rejects.toThrow();
    await logs.server.run();
    await vi.waitFor(async () => expect(await memory.highest(AK)).toEqual(at(9)), PATIENT);
    expect(log.of(/cannot be used/).length).toBeGreaterThan(0);
    expect(log.of(/can be used again/)).toHaveLength(1);
  });

  it('TPM-10 are as old as their last rise: to be told again makes them no younger', async () => {
    const memory = await open();
    await memory.advance(AK, at(9, 2));
    const long = `SELECT risen_at < now() - interval '1 minute' FROM reset_counts`;
    const age = () => logs.sql(`UPDATE reset_counts SET risen_at = now() - interval '1 hour'`);
    for (const [given, isOld] of [
      [at(9, 2), 't'],
      [at(9, 1), 't'],
      [at(8, 7), 't'],
      [at(9, 3), 'f'],
      [at(10, 0), 'f'],
    ] as const) {
      await age();
      await memory.advance(AK, given);
      expect([given, await logs.sql(long)]).toEqual([given, isOld]);
    }
  });

  it('TPM-10 are forgotten where there are too many, oldest first, and the log says how many', async () => {
    const log = new RecordingLog();
    await logs.sql(`
      INSERT INTO reset_counts SELECT 'default', 'ak' || n, n, 0, now() - n * interval '1 second' FROM generate_series(1, 220) n`);
    // Of another tenant that has the same vTPM.
    await logs.sql(`INSERT INTO reset_counts VALUES ('other', 'ak220', 1, 0, now() - interval '1 hour')`);
    const memory = await open({ log, capacity: 200 });
    await memory.advance(AK, at(1));
    expect(await memory.highest(AK)).toEqual(at(1));
    expect(await logs.sql("SELECT count(*), max(reset_count) FROM reset_counts WHERE tenant = 'default'")).toBe(
      '198|197',
    );
    expect(await logs.sql("SELECT count(*) FROM reset_counts WHERE tenant = 'other'")).toBe('1');
    expect(log.of(/oldest counts were forgotten/)).toEqual([{ store: 'postgres', tenant: 'default', forgotten: 23 }]);
  });
});

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { SYSTEM_CLOCK } from '../../../src/app/system.js';
import type { Clock } from '../../../src/core/ports.js';
import { PostgresProofStore } from '../../../src/stores/postgres/postgres-proof-store.js';
import { PATIENT } from './postgres-challenges.js';
import { PostgresLogs } from './postgres-logs.js';
import { isWithoutPostgres, PostgresServer } from './postgres-server.js';

const HOUR_MS = 3_600_000;

let logs: PostgresLogs;

async function open({ clock = SYSTEM_CLOCK, capacity }: { clock?: Clock; capacity?: number } = {}) {
  return PostgresProofStore.open({ server: await logs.connect(), clock, timeoutMs: 10_000, capacity });
}

/** Wall and monotonic time, ahead of those of this machine. */
const ahead = (by: { ms: number }): Clock => ({
  now: () => new Date(Date.now() + by.ms),
  monotonicMs: () => performance.now() + by.ms,
});

const count = () => logs.sql('SELECT count(*) FROM used_proofs');

describe.skipIf(isWithoutPostgres('used proofs in PostgreSQL'))('used proofs in PostgreSQL', () => {
  beforeAll(async () => {
    logs = new PostgresLogs(await PostgresServer.start());
    await logs.migrate();
  });

  beforeEach(() => logs.sql('TRUNCATE used_proofs'));

  afterEach(() => logs.close());

  afterAll(() => logs.server.close());

  it('GAT-02 are new to one of many that use one at once, at all replicas together', async () => {
    const stores = [await open(), await open()];
    const uses = await Promise.all(Array.from({ length: 40 }, (_, index) => stores[index % 2]?.use('web', 'one')));
    expect(uses.filter((use) => use?.isNew)).toHaveLength(1);
    expect(await stores[0]?.use('web', 'other')).toMatchObject({ isNew: true });
  });

  it('GAT-02 stay used over a restart of a replica', async () => {
    await (await open()).use('web', 'one');
    await logs.close();
    expect(await (await open()).use('web', 'one')).toMatchObject({ isNew: false });
  });

  it('are dropped once both clocks are past their time, in batches', async () => {
    const by = { ms: 0 };
    const proofs = await open({ clock: ahead(by) });
    await logs.sql(
      `INSERT INTO used_proofs SELECT n::text, now() - interval '1 second' FROM generate_series(1, 2500) n`,
    );
    await logs.sql(`INSERT INTO used_proofs VALUES ('not yet', now() + interval '10 seconds')`);
    await proofs.use('web', 'one');
    await vi.waitFor(async () => expect(await count()).toBe('2'), PATIENT);
    // By one clock alone, which may be wrong, nothing is forgotten.
    by.ms = HOUR_MS;
    await proofs.use('web', 'two');
    await logs.sql(`UPDATE used_proofs SET kept_until = now() - interval '1 minute'`);
    by.ms = -HOUR_MS;
    await proofs.use('web', 'three');
    expect(await proofs.use('web', 'one')).toMatchObject({ isNew: false });
    expect(await count()).toBe('4');
  });

  it('are kept for 200 seconds by the later of both clocks', async () => {
    for (const [proof, ms, expected] of [
      ['one', -HOUR_MS, '200'],
      ['two', HOUR_MS, '3800'],
    ] as const) {
      await (await open({ clock: ahead({ ms }) })).use('web', proof);
      const left = `SELECT round(extract(epoch FROM kept_until - clock_timestamp()) / 100) * 100 FROM used_proofs`;
      expect(await logs.sql(`${left} WHERE proof = '${proof}'`)).toBe(expected);
    }
  });

  it('GAT-02 of one gate take no room of another', async () => {
    const proofs = await open({ capacity: 1 });
    await proofs.use('web', 'a');
    await expect(proofs.use('web', 'b')).rejects.toThrow(expect.objectContaining({ code: 'overloaded' }));
    expect(await proofs.use('other', 'b')).toMatchObject({ isNew: true });
  });

  it('GAT-02 from before a database of before was put back are not known', async () => {
    const proofs = await open();
    await proofs.use('web', 'zero');
    await logs.server.stop();
    const putBack = await logs.server.copyOfFiles();
    await logs.server.run();
    await vi.waitFor(async () => expect(await proofs.use('web', 'one')).toMatchObject({ isNew: true }), PATIENT);
    await logs.server.stop('immediate');
    await putBack();
    const lost = Date.now();
    await logs.server.run();
    await vi.waitFor(async () => {
      const { isNew, knownSince } = await proofs.use('web', 'one');
      expect([isNew, knownSince.getTime() > lost]).toEqual([true, true]);
    }, PATIENT);
    // Also at a replica that used none before.
    expect((await (await open()).use('web', 'two')).knownSince.getTime()).toBeGreaterThan(lost);
  });

  it('GAT-02 are not taken for new while the server is gone, and used again once it is back', async () => {
    const proofs = await open();
    await proofs.use('web', 'one');
    await logs.server.stop('immediate');
    await expect(proofs.use('web', 'two')).rejects.toThrow();
    await logs.server.run();
    await vi.waitFor(async () => expect(await proofs.use('web', 'one')).toMatchObject({ isNew: false }), PATIENT);
  });
});

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { PostgresMarks } from '../../../src/stores/postgres/postgres-marks.js';
import { RecordingLog } from '../../unit/endorsements/recording-log.js';
import { FaultyProxy } from './faulty-proxy.js';
import { PATIENT } from './postgres-challenges.js';
import { PostgresLogs } from './postgres-logs.js';
import { isWithoutPostgres, PostgresServer } from './postgres-server.js';

const NAME = 'crl-shared-Milan-vcek@kdsintf.amd.com';
const mark = (number: bigint | number, day = 1) => `${number} 2026-01-0${day}T00:00:00.000Z\n`;

let logs: PostgresLogs;

interface Opening {
  readonly log?: RecordingLog;
  readonly port?: number;
  readonly timeoutMs?: number;
}

/** Marks of a replica, and the time for them. */
async function open({ log = new RecordingLog(), timeoutMs = 10_000, ...where }: Opening = {}) {
  const clock = { at: 0, monotonicMs: () => clock.at };
  return { clock, log, marks: new PostgresMarks({ server: await logs.connect(where), clock, log, timeoutMs }) };
}

describe.skipIf(isWithoutPostgres('rollback marks in PostgreSQL'))('rollback marks in PostgreSQL', () => {
  beforeAll(async () => {
    logs = new PostgresLogs(await PostgresServer.start());
    await logs.migrate();
  });

  beforeEach(() => logs.sql('TRUNCATE rollback_marks'));

  afterEach(() => logs.close());

  afterAll(() => logs.server.close());

  it('CRT-09 are known to every replica once one has raised them, and only grow', async () => {
    const [{ marks: one }, { marks: other }] = [await open(), await open()];
    expect(await one.raise(NAME, null)).toBeNull();
    for (const [given, highest] of [
      [mark(9, 2), mark(9, 2)],
      [mark(8, 3), mark(9, 2)],
      [mark(9, 1), mark(9, 2)],
      [mark(9, 3), mark(9, 3)],
      [mark(10, 1), mark(10, 1)],
      [mark(9, 9), mark(10, 1)],
      [mark(2n ** 159n), mark(2n ** 159n)],
      [mark(2n ** 159n - 1n, 9), mark(2n ** 159n)],
    ] as const) {
      expect(await one.raise(NAME, given)).toBe(highest);
      expect(await other.raise(NAME, null)).toBe(highest);
    }
    expect(await other.raise('crl-shared-Milan-vlek@kdsintf.amd.com', null)).toBeNull();
  });

  it('TDX-10 are numbers alone where they have no time', async () => {
    const { marks } = await open();
    expect(await marks.raise('tdx-shared-pcs-00806f050000@[::1]:8081', '19\n')).toBe('19\n');
    expect(await marks.raise('tdx-shared-pcs-00806f050000@[::1]:8081', '18\n')).toBe('19\n');
    expect(await marks.raise('tdx-shared-pcs-00806f050000@[::1]:8081', '100\n')).toBe('100\n');
  });

  it('CRT-09 are the highest of a hundred that replicas raise at once', async () => {
    const replicas = [await open(), await open()];
    const given = Array.from({ length: 100 }, (_, index) => mark((index * 37) % 100));
    const results = await Promise.all(given.map((text, index) => replicas[index % 2]?.marks.raise(NAME, text)));
    expect(results[given.indexOf(mark(99))]).toBe(mark(99));
    expect(await replicas[0]?.marks.raise(NAME, null)).toBe(mark(99));
  });

  it('CRT-09 are asked for once by many at once', async () => {
    const { marks } = await open();
    await Promise.all(Array.from({ length: 50 }, () => marks.raise(NAME, mark(9))));
    expect(await logs.sql('SELECT xmax = 0 FROM rollback_marks')).toBe('t');
  });

  it('CRT-09 are out of reach while the server is gone: the log says so once, and when that is over', async () => {
    const { marks, clock, log } = await open();
    await marks.raise(NAME, mark(9));
    const { changes } = marks;
    await logs.server.stop('immediate');
    for (let count = 0; count < 3; count++) {
      expect(await marks.raise(NAME, mark(9))).toBeNull();
      clock.at += 1000;
    }
    await logs.server.run();
    await vi.waitFor(async () => {
      clock.at += 1000;
      expect(await marks.raise(NAME, mark(8))).toBe(mark(9));
    }, PATIENT);
    expect(marks.changes).toBeGreaterThan(changes);
    expect(log.of(/those of this one count/).length).toBeGreaterThan(0);
    expect(log.of(/can be used again/)).toHaveLength(1);
  });

  it('CRT-09 are to be asked for again once a connection was lost, whoever asked meanwhile', async () => {
    const { marks } = await open();
    await marks.raise(NAME, mark(9));
    const { changes } = marks;
    await logs.server.restart('immediate');
    await vi.waitFor(() => expect(marks.changes).toBeGreaterThan(changes), PATIENT);
  });

  it('CRT-09 of a store that hangs hold up one question a second, and are to be asked for after it', async () => {
    const proxy = await FaultyProxy.start(logs.server.port);
    try {
      const { marks, clock } = await open({ port: proxy.port, timeoutMs: 2000 });
      await marks.raise(NAME, mark(9));
      const held = proxy.holdNext('rollback_marks');
      expect(await marks.raise(NAME, mark(9))).toBeNull();
      (await held)();
      const { changes } = marks;
      clock.at = 999;
      expect(await marks.raise(NAME, mark(9))).toBeNull();
      expect(marks.changes).toBe(changes);
      clock.at = 1000;
      expect(marks.changes).toBeGreaterThan(changes);
      await vi.waitFor(async () => {
        clock.at += 1000;
        expect(await marks.raise(NAME, mark(9))).toBe(mark(9));
      }, PATIENT);
      const after = marks.changes;
      clock.at += 10_000;
      expect(marks.changes).toBe(after);
    } finally {
      await proxy.close();
    }
  });

  it('the role of the service cannot lower them by leaving them out', async () => {
    await expect(logs.server.sql('DELETE FROM veritee.rollback_marks', undefined, 'service')).rejects.toThrow(
      'permission denied for table rollback_marks',
    );
  });
});

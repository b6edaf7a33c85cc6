import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyLog } from '../../src/log/verify-log.js';
import { ANYTHING, ASKED, inSeconds, startChallenges } from '../integration/stores/postgres-challenges.js';
import { PostgresLogs } from '../integration/stores/postgres-logs.js';
import { isWithoutPostgres, PostgresServer } from '../integration/stores/postgres-server.js';
import { judged, openLog } from '../unit/log/recorded.js';

const MOMENTS = 100;

/** Requests that are under way at the same time. */
const AT_ONCE = 4;

/** How long a request that fails waits before the next one. */
const PAUSE_MS = 5;

describe.skipIf(isWithoutPostgres('a database that is killed while it stores'))(
  'a database that is killed while it stores',
  () => {
    let logs: PostgresLogs;

    beforeAll(async () => {
      logs = new PostgresLogs(await PostgresServer.start());
      await logs.migrate();
    });

    afterAll(async () => {
      await logs.close();
      await logs.server.close();
    });

    it(`STO-01, STO-03, LOG-02 loses no decision that it confirmed, and no challenge is good twice, at ${MOMENTS} moments`, {
      timeout: 900_000,
    }, async () => {
      const store = await logs.start();
      const { log, lines, chain } = await openLog(store);
      const consuming = await startChallenges(logs);
      const told: string[] = [];
      const used: string[] = [];
      let isOver = false;

      async function decide(): Promise<void> {
        const each = judged({ decidedAt: new Date() });
        const { decisionId } = each.decision;
        await consuming.put(decisionId, ANYTHING, inSeconds(3600));
        if ((await consuming.consume(decisionId, ASKED)).state === 'consumed') used.push(decisionId);
        await log.record(each);
        told.push(decisionId);
      }

      /** Requests fail while the server is away: each is one that nobody was told of. */
      async function work(): Promise<void> {
        while (!isOver) await decide().catch(() => sleep(PAUSE_MS));
      }

      log.watch();
      const working = Array.from({ length: AT_ONCE }, work);
      for (let moment = 0; moment < MOMENTS; moment++) {
        const before = told.length;
        // It is killed while decisions are being confirmed, sooner or later after the first one.
        await expect.poll(() => told.length, { timeout: 30_000, interval: 1 }).toBeGreaterThan(before);
        await sleep((moment * 37) % 101);
        await logs.server.restart('immediate');
      }
      isOver = true;
      await Promise.all(working);
      expect(lines.lines.filter(({ message }) => message.includes('lacks'))).toEqual([]);
      // Connections are made again after up to two seconds.
      await expect.poll(() => store.last(chain).catch(() => null), { timeout: 30_000 }).not.toBeNull();
      for (const id of told) expect(await store.find(id), id).not.toBeNull();
      const again = await Promise.all(used.map((id) => consuming.consume(id, ASKED).catch(() => ({ state: 'void' }))));
      expect(again.filter(({ state }) => state === 'consumed')).toEqual([]);
      await log.close();
      expect((await verifyLog(store, { keptHeads: [], keys: null })).problems).toEqual([]);
    });
  },
);

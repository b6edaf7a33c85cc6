import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ANYTHING, ASKED, inSeconds, KEY, startChallenges } from '../integration/stores/postgres-challenges.js';
import { PostgresLogs, SERVICE } from '../integration/stores/postgres-logs.js';
import { isWithoutPostgres, PostgresServer } from '../integration/stores/postgres-server.js';

const ROUNDS = 20;
const AT_ONCE = 1_000;

type Tally = Readonly<Record<string, number>>;

let logs: PostgresLogs;
let consuming: readonly ChildProcess[] = [];

async function startConsumer(): Promise<ChildProcess> {
  const { host, port, database } = logs.server;
  const settings = { host, port, database, user: SERVICE, tls: null };
  const options = { settings, key: Buffer.from(KEY).toString('hex'), scope: ASKED };
  const entry = join(inject('installation'), 'dist/consume-main.js');
  const child = fork(entry, [JSON.stringify(options)], { execArgv: [] });
  await once(child, 'message');
  return child;
}

async function tallyOf(child: ChildProcess, id: string): Promise<Tally> {
  const answered = once(child, 'message');
  child.send({ id, count: AT_ONCE / consuming.length });
  const [tally] = await answered;
  return tally;
}

describe.skipIf(isWithoutPostgres('one challenge at two processes at once'))('one challenge', () => {
  beforeAll(async () => {
    logs = new PostgresLogs(await PostgresServer.start());
    await logs.migrate();
    consuming = [await startConsumer(), await startConsumer()];
  });

  afterAll(async () => {
    await Promise.all(
      consuming.map(async (child) => {
        child.disconnect();
        await once(child, 'exit');
      }),
    );
    await logs.close();
    await logs.server.close();
  });

  it('FRS-02 is consumed exactly once, in each of twenty rounds in which two processes try a thousand times', async () => {
    const store = await startChallenges(logs);
    for (let round = 0; round < ROUNDS; round++) {
      const id = `round-${round}`;
      await store.put(id, ANYTHING, inSeconds(300));
      const tallies = await Promise.all(consuming.map((child) => tallyOf(child, id)));
      const outcomes = new Set(tallies.flatMap((tally) => Object.keys(tally)));
      const sum = (outcome: string) => tallies.reduce((total, tally) => total + (tally[outcome] ?? 0), 0);
      const total = Object.fromEntries([...outcomes].map((outcome) => [outcome, sum(outcome)]));
      expect(total).toEqual({ consumed: 1, used: AT_ONCE - 1 });
    }
  });
});

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ANYTHING, ASKED, inSeconds, KEY, Replicas, settingsFor } from '../integration/stores/shared-challenges.js';
import { isWithoutValkey, Valkey } from '../integration/stores/valkey.js';

const ROUNDS = 20;
const AT_ONCE = 10_000;

type Tally = Readonly<Record<string, number>>;

const issuing = new Replicas();
let valkey: Valkey;
let consuming: readonly ChildProcess[] = [];

async function startConsumer(): Promise<ChildProcess> {
  const options = { settings: settingsFor(valkey.port), key: Buffer.from(KEY).toString('hex'), scope: ASKED };
  const entry = join(inject('installation'), 'test/system/consume-main.mjs');
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

describe.skipIf(isWithoutValkey('one challenge at two processes at once'))('one challenge', () => {
  beforeAll(async () => {
    valkey = await Valkey.start();
    consuming = [await startConsumer(), await startConsumer()];
  });

  afterAll(async () => {
    await Promise.all(
      consuming.map(async (child) => {
        child.disconnect();
        await once(child, 'exit');
      }),
    );
    await issuing.close();
    await valkey.close();
  });

  it('FRS-02 is consumed exactly once, in each of twenty rounds in which two processes try ten thousand times', async () => {
    const store = await issuing.start(valkey.port);
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

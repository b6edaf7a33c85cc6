import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Promised, problemsOf } from './promised.js';

/** Of delays that all differ. */
const MOMENTS = 100;

/** Processes that write to one store at the same time, as services of one machine may. */
const AT_ONCE = 2;

/** After how many of these the whole log is verified. */
const VERIFIED_EVERY = 20;

let root: string;
const file = () => join(root, 'veritee.db');

/**
 * Starts a process that decides, and kills it a while after it has begun: so that the moments are spread over opening, writing,
 * and telling.
 */
async function killed(promised: Promised, delayMs: number): Promise<void> {
  const main = join(inject('installation'), 'dist/decide-main.js');
  const child = spawn(process.execPath, [main, JSON.stringify({ file: file() })], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  const begun = new Promise<void>((resolve) => {
    lines.on('line', (line) => {
      promised.take(line);
      resolve();
    });
  });
  const ended = once(child, 'close');
  await Promise.race([begun, ended]);
  await sleep(delayMs);
  child.kill('SIGKILL');
  const [exitCode, signal] = await ended;
  // One that has ended by itself was not killed.
  expect([exitCode, signal]).toEqual([null, 'SIGKILL']);
}

describe('a process that is killed while it stores decisions', () => {
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'veritee-killed-'));
  });

  afterAll(() => rmSync(root, { recursive: true }));

  it(`STO-06, AUD-01, LOG-02 loses nothing that it told, at ${MOMENTS} moments`, { timeout: 600_000 }, async () => {
    const promised = new Promised();
    for (let count = 0; count < MOMENTS; count += AT_ONCE) {
      // From before the first decision to some dozens of them.
      const delay = (index: number) => ((count + index) * 37) % 101;
      await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => killed(promised, delay(index))));
      if ((count + AT_ONCE) % VERIFIED_EVERY === 0) expect(await problemsOf(file(), promised)).toEqual([]);
    }
    expect(promised.told.length).toBeGreaterThan(MOMENTS);
  });
});

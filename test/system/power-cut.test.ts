import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { isLacking } from '../requirements.js';
import { type DiskEvent, readTrace, TRACER } from './disk-trace.js';
import { ForgetfulDisk, type Luck } from './forgetful-disk.js';
import { Promised, problemsOf } from './promised.js';

/** So many that the write-ahead log is written back and begun again. */
const DECISIONS = 300;

/** Moments at which the power goes. */
const MOMENTS = 200;

const REQUIRED = { what: 'strace, and the right to trace', command: ['strace', '-o', '/dev/null', 'true'] } as const;

let root: string;
let events: readonly DiskEvent[];
const data = () => join(root, 'data');

async function trace(): Promise<void> {
  const main = join(inject('installation'), 'dist/decide-main.js');
  const options = JSON.stringify({ file: join(data(), 'veritee.db'), count: DECISIONS });
  const [program = '', ...args] = [...TRACER, '-o', join(root, 'trace'), process.execPath, main, options];
  const child = spawn(program, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [exitCode] = await once(child, 'exit');
  expect(exitCode).toBe(0);
  events = readTrace(root, 'trace');
}

/** Of the write-ahead log. */
function isOfLog(event: { readonly path: string }): boolean {
  return event.path.endsWith('-wal');
}

/** The same numbers each time: what fails can be found again. */
function chances(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Cuts the power at moments spread over the whole run. @returns what is wrong then */
async function cutAtEach(luck: Luck): Promise<readonly string[]> {
  const disk = new ForgetfulDisk();
  const promised = new Promised();
  const wrong: string[] = [];
  const every = Math.ceil(events.length / MOMENTS);
  for (const [index, event] of events.entries()) {
    disk.take(event);
    if (event.kind === 'line') promised.take(event.text);
    if (!promised.isReady || index % every !== 0) continue;
    const folder = join(root, 'after');
    disk.powerOff(data(), folder, luck);
    wrong.push(...(await problemsOf(join(folder, 'veritee.db'), promised)).map((what) => `at ${index}: ${what}`));
    rmSync(folder, { recursive: true });
  }
  return wrong;
}

describe.skipIf(isLacking('a power cut while decisions are stored', [REQUIRED]))(
  'a power cut while decisions are stored',
  () => {
    beforeAll(async () => {
      root = mkdtempSync(join(tmpdir(), 'veritee-disk-'));
      mkdirSync(data());
      await trace();
    });

    afterAll(() => rmSync(root, { recursive: true }));

    it('is tried on a run that has written back its log, and begun it again', () => {
      expect(events.filter(({ kind }) => kind === 'line').length).toBeGreaterThan(2 * DECISIONS);
      const begun = events.filter((event) => event.kind === 'write' && isOfLog(event) && event.offset === 0);
      expect(begun.length).toBeGreaterThan(1);
    });

    it('STO-06, AUD-01 takes nothing that was promised, where all is gone that was not synced', async () => {
      expect(await cutAtEach(() => false)).toEqual([]);
    });

    it.each([1, 2])(
      'STO-06 takes nothing that was promised, where some of it was written all the same: %i',
      async (seed) => {
        const chance = chances(seed);
        expect(await cutAtEach(() => chance() < 0.5)).toEqual([]);
      },
    );

    it('takes something that was promised, where the sync before it is left out: so it would be seen', async () => {
      const told = events.findLastIndex((event) => event.kind === 'line' && event.text.startsWith('told'));
      const sync = events.slice(0, told).findLastIndex((event) => event.kind === 'sync' && isOfLog(event));
      const disk = new ForgetfulDisk();
      const promised = new Promised();
      for (const [index, event] of events.slice(0, told + 1).entries()) {
        if (index !== sync) disk.take(event);
        if (event.kind === 'line') promised.take(event.text);
      }
      const folder = join(root, 'unsynced');
      disk.powerOff(data(), folder, () => false);
      expect(await problemsOf(join(folder, 'veritee.db'), promised)).toContain(
        `decision ${promised.told.at(-1)} is gone`,
      );
    });
  },
);

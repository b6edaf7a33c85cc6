import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { copyProject } from './installation.js';
import { ServiceProcess } from './service-process.js';

let folder: string;
let service: ServiceProcess;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'veritee-start-'));
});

afterEach(() => service.close());
afterAll(() => rmSync(folder, { recursive: true }));

const environment = () => ({
  VERITEE__LISTEN__PORT: '0',
  VERITEE__AMD__KDS: 'off',
  VERITEE__INTEL__PCS: 'off',
  VERITEE__STORES__URL: `sqlite:${join(folder, 'veritee.db')}`,
});

const STARTS = [
  ['npm start', ['npm', 'start']],
  ['the start script', [process.execPath, 'scripts/start.mjs', 'serve']],
] as const;

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

describe('a signal to what was started', () => {
  it.each(STARTS.flatMap(([name, command]) => SIGNALS.map((signal) => [name, signal, command] as const)))(
    '%s: %s ends everything with 0',
    async (_name, signal, command) => {
      service = await ServiceProcess.start(command, { cwd: inject('installation'), environment: environment() });
      service.signal(signal);
      expect(await service.end()).toMatchObject({ exitCode: 0, signal: null });
      expect(await service.leavesNothing()).toBe(true);
      expect(service.logged('stopping')).toMatchObject([{ signal }]);
    },
  );

  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('npm start: %s while it builds ends the build too, with %i', async (signal, exitCode) => {
    const clone = copyProject();
    try {
      service = ServiceProcess.launch(['npm', 'start'], { cwd: clone, environment: environment() });
      await expect.poll(() => isBuilding(service.pid), { timeout: 60_000, interval: 5 }).toBe(true);
      service.signal(signal);
      expect(await service.end()).toMatchObject({ exitCode, signal: null });
      // esbuild ends by itself, once nobody writes to it.
      expect(await service.leavesNothing()).toBe(true);
      expect(existsSync(join(clone, 'dist/inspector/pages.json'))).toBe(false);
    } finally {
      await service.close();
      rmSync(clone, { recursive: true });
    }
  });
});

/** Whether a process has a step of the build among those below it. */
function isBuilding(pid: number): boolean {
  if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').match(/scripts\/(compile\.mjs|pages\/build\.ts)/) !== null)
    return true;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  return children.some((child) => isBuilding(Number(child)));
}

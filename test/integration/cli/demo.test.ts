import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));

const TSX = new URL('../../../node_modules/tsx/dist/loader.mjs', import.meta.url).href;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'veritee-demo-test-'));
});

afterAll(() => rm(folder, { recursive: true }));

/** As `npm run demo -- …` starts it, but in a folder of its own. */
function demo(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', TSX, `${PROJECT}scripts/demo.ts`, ...args],
    { cwd: folder, env: { ...process.env, TSX_TSCONFIG_PATH: `${PROJECT}tsconfig.json` }, encoding: 'utf8' },
  );
  return { status, stdout, stderr };
}

describe('npm run demo', () => {
  it('--help names every option and runs nothing', () => {
    const { status, stdout, stderr } = demo('--help');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout.match(/^ {2}--\w+/gm)).toEqual(['  --keep', '  --print', '  --help']);
  });

  it('says what docs/getting-started.md says it does', () => {
    const { status, stdout, stderr } = demo();
    expect([status, stderr]).toEqual([0, '']);
    const [, shown = ''] = readFileSync(`${PROJECT}docs/getting-started.md`, 'utf8').split('$ npm run -s demo\n');
    const outcomes = stdout.split('\n').filter((line) => /^(?:allow|deny) /.test(line));
    expect(outcomes).toEqual(shown.slice(0, shown.indexOf('\n```')).split('\n'));
    // Its files are removed with it: a later service must not load lists that are none of AMD's.
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each([
    ['an option that there is not', '--kep', "Unknown option '--kep'"],
    ['a value', 'now', "Unexpected argument 'now'"],
  ])('refuses %s, and shows those that there are', (_title, arg, message) => {
    const { status, stdout, stderr } = demo(arg);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain(message);
    expect(stderr).toContain('  --keep');
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

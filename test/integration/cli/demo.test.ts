import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));

/** As `npm run demo -- …` starts it. */
function demo(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'scripts/demo.ts', ...args], {
    cwd: PROJECT,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('npm run demo', () => {
  it('--help names every option and runs nothing', () => {
    const { status, stdout, stderr } = demo('--help');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout.match(/^ {2}--\w+/gm)).toEqual(['  --keep', '  --print', '  --help']);
  });

  it('says what README.md says it does', () => {
    const { status, stdout, stderr } = demo();
    expect([status, stderr]).toEqual([0, '']);
    const [, shown = ''] = readFileSync(`${PROJECT}README.md`, 'utf8').split('$ npm run demo\n');
    const [, ...played] = stdout.split(/\n(?=allow)/);
    expect(played.join('').trimEnd()).toBe(shown.slice(0, shown.indexOf('\n```')));
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

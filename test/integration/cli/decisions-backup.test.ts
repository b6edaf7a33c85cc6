import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { filledLogs } from '../../unit/cli/recorded-decisions.js';
import { CommandLine } from './command-line.js';
import { runInProcess } from './command-line-in-process.js';

const filledLog = filledLogs();

let cli: CommandLine;

beforeEach(async () => {
  cli = await CommandLine.create();
});

afterEach(() => cli.close());

const run = (args: readonly string[], url?: string) =>
  runInProcess(cli, ['decisions', ...args], url === undefined ? {} : { environment: { VERITEE__STORES__URL: url } });

describe('veritee decisions backup', () => {
  it('writes a copy that verifies and has the same decisions', async () => {
    await filledLog(cli.path('data/veritee.db'));
    expect(await run(['backup', 'copy.db'])).toEqual({ exitCode: 0, stdout: 'wrote copy.db\n', stderr: '' });
    expect(await run(['verify'], 'sqlite:copy.db')).toMatchObject({ exitCode: 0 });
    expect((await run(['list'], 'sqlite:copy.db')).stdout).toBe((await run(['list'])).stdout);
  });

  it('makes no copy of a store that is not there', async () => {
    const { exitCode, stderr } = await run(['backup', 'copy.db']);
    expect([exitCode, existsSync(cli.path('copy.db'))]).toEqual([1, false]);
    expect(stderr).toContain('there is no such file');
  });

  it.each([
    ['is standard output', '-', '-: a copy of a store is a file, not standard output: name one'],
    ['exists', 'there.db', 'there.db: exists: name a file that does not'],
    ['is in no folder', 'none/copy.db', 'none/copy.db: cannot be written: '],
  ])('takes the name of no file that %s', async (_, name, why) => {
    await filledLog(cli.path('data/veritee.db'));
    await writeFile(cli.path('there.db'), 'a text');
    const { exitCode, stderr } = await run(['backup', name]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(why);
  });

  it('says that it cannot read what is no store', async () => {
    await writeFile(
      cli.path('text.db'),
      'a text that is longer than the head of a database, which has one hundred bytes in all',
    );
    const { exitCode, stderr } = await run(['backup', 'copy.db'], 'sqlite:text.db');
    expect(exitCode).toBe(3);
    expect(stderr).toContain('not a database');
  });

  it('names pg_dump for a database', async () => {
    const environment = {
      VERITEE__STORES__URL: 'postgres://veritee@localhost/veritee',
      VERITEE__CHALLENGES__KEY: './challenges.key',
      VERITEE__RECEIPTS__KEY: './receipts.pem',
    };
    const { exitCode, stderr } = await runInProcess(cli, ['decisions', 'backup', 'copy.db'], { environment });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('pg_dump');
  });
});

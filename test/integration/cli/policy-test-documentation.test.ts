import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CommandLine } from './command-line.js';
import { runInProcess } from './command-line-in-process.js';

const TEXT = readFileSync(new URL('../../../docs/release-policies.md', import.meta.url), 'utf8');

let cli: CommandLine;
beforeAll(async () => {
  cli = await CommandLine.create();
});
afterAll(() => cli.close());

describe('docs/release-policies.md', () => {
  it('has a policy with a rule akv, and a test of it that passes', async () => {
    const [policy = '', test = ''] = [...TEXT.matchAll(/```yaml\n(.*?)```/gs)].map(([, example = '']) => example);
    await cli.write('key-release.yaml', policy);
    await cli.write('key-release.test.yaml', test);
    const { exitCode, stdout } = await runInProcess(cli, ['policy', 'test', 'key-release.yaml']);
    expect([exitCode, JSON.parse(stdout).policies[0].coverage]).toMatchObject([
      0,
      [{ rule: 'release', passingCase: 'a compliant VM', covered: true }],
    ]);
  });
});

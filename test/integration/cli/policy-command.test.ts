import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BUILT_IN_POLICIES } from '../../../src/policy/built-in-policies.js';
import { CommandLine } from './command-line.js';
import { runInProcess } from './command-line-in-process.js';

const POLICY = `apiVersion: veritee/v1
id: payments
version: 3
accepts: [snp]
minimums: { snp: { Milan: { snp: 24, microcode: 219 } } }
rules: [{ id: privileged, cel: "snp.vmpl == 0" }]
`;

let cli: CommandLine;

beforeEach(async () => {
  cli = await CommandLine.create();
});

afterEach(() => cli.close());

const run = (args: readonly string[], surroundings: Parameters<typeof runInProcess>[2] = {}) =>
  runInProcess(cli, args, surroundings);

describe('veritee policy lint', () => {
  it('ends with 0 where nothing is wrong, also on standard input', async () => {
    await cli.write('payments.yaml', POLICY);
    const none = { exitCode: 0, stdout: '{\n  "problems": []\n}\n', stderr: '' };
    expect(await cli.run(['policy', 'lint', 'payments.yaml'])).toEqual(none);
    expect(await cli.run(['policy', 'lint', '-'], POLICY)).toEqual(none);
    expect(await run(['policy', 'lint', 'payments.yaml'])).toEqual(none);
    expect(await run(['policy', 'lint', '-'], { input: POLICY })).toEqual(none);
  });

  it('ends with 1 where a policy does not load, and names each file of several', async () => {
    await cli.write('one.yaml', POLICY.replace('snp.vmpl', 'snp.vmpll'));
    await cli.write('two.yaml', POLICY.replace('microcode: 219', 'microcode: 218'));
    const { exitCode, stdout } = await run(['policy', 'lint', 'one.yaml', 'two.yaml']);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout).problems).toMatchObject([
      { code: 'rule_type', pointer: '/rules/0/cel', severity: 'error', message: expect.stringMatching(/^one\.yaml: /) },
      { code: 'snp_floor_low', severity: 'warning', message: expect.stringMatching(/^two\.yaml: /) },
    ]);
  });

  it('ends with 0 where there are warnings alone', async () => {
    await cli.write('two.yaml', POLICY.replace('microcode: 219', 'microcode: 218'));
    expect((await run(['policy', 'lint', 'two.yaml'])).exitCode).toBe(0);
  });

  it('lints a release policy by the issuers of the configuration', async () => {
    const release = { authority: 'https://mine.weu.attest.azure.net', allOf: [{ claim: 'a', equals: 1 }] };
    await cli.write('key.json', JSON.stringify({ version: '1.0.0', anyOf: [release] }));
    const issuers = 'maa: { issuers: [{ issuer: https://mine.weu.attest.azure.net, keys: jwks, policyHash: any }] }';
    await cli.write('veritee.yaml', issuers);
    const codes = async (...args: readonly string[]) => {
      const { exitCode, stdout } = await run(['policy', 'lint', 'key.json', ...args]);
      return [exitCode, ...JSON.parse(stdout).problems.map(({ code }: { code: string }) => code)];
    };
    expect(await codes()).toEqual([1, 'akv_authority', 'akv_no_debug']);
    expect(await codes('--config', 'veritee.yaml')).toEqual([0, 'akv_no_debug']);
  });

  it('ends with 1 for a file that is not there, and without a file', async () => {
    expect(await run(['policy', 'lint', 'none.yaml'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('none.yaml'),
    });
    expect((await run(['policy', 'lint'])).exitCode).toBe(1);
    expect((await run(['policy'])).exitCode).toBe(1);
  });
});

describe('veritee policy show', () => {
  it('has the text of a policy and its digest', async () => {
    await mkdir(cli.path('policies'));
    await cli.write('policies/payments.yaml', POLICY);
    const sha256 = createHash('sha256').update(POLICY).digest('hex');
    const expected = { id: 'payments', version: 3, description: null, sha256, text: POLICY };
    const whole = { exitCode: 0, stdout: `${JSON.stringify(expected, null, 2)}\n`, stderr: '' };
    expect(await cli.run(['policy', 'show', 'payments'])).toEqual(whole);
    expect(await run(['policy', 'show', 'payments'])).toEqual(whole);
    expect(await run(['policy', 'show', 'policies/payments.yaml'])).toEqual(whole);
  });

  it('lists all where none is named', async () => {
    const { stdout } = await run(['policy', 'show']);
    const ids = JSON.parse(stdout).policies.map(({ id }: { id: string }) => id);
    expect(ids).toEqual(BUILT_IN_POLICIES.map(({ id }) => id));
  });

  it('ends with 1 for a policy that is not there', async () => {
    expect(await run(['policy', 'show', 'none'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('there is no policy none'),
    });
  });
});

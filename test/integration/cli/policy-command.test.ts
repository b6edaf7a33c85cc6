import { createHash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BUILT_IN_POLICIES } from '../../../src/policy/document/built-in-policies.js';
import { CommandLine } from './command-line.js';
import { runInProcess } from './command-line-in-process.js';

const POLICY = `apiVersion: veritee/v1
id: payments
version: 3
accepts: [snp]
minimums: { snp: { Milan: { snp: 24, microcode: 219 } } }
rules: [{ id: privileged, cel: "snp.vmpl == 0" }]
`;

const NO_CONFIGURATION = 'configuration file none: there is no such file\n';

const PLAIN_TERMINAL = { onTerminal: true, environment: { NO_COLOR: '1' } };

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
      {
        code: 'rule_type',
        pointer: '/rules/0/cel',
        severity: 'error',
        message: expect.stringMatching(/^one\.yaml:6: /),
      },
      { code: 'snp_floor_low', severity: 'warning', message: expect.stringMatching(/^two\.yaml:5: /) },
    ]);
  });

  it.each([
    [
      'a member that is missing, that of what is around it',
      POLICY.replace(/minimums.*/, 'minimums: { snp: { Milan: {} } }'),
      5,
    ],
    ['a syntax error', `${POLICY}waivers: [`, 7],
    ['a key that appears twice', `${POLICY}version: 4\n`, 7],
    ['the text as a whole', '[]', null],
    ['a member that is missing on top', POLICY.replace('version: 3\n', ''), null],
  ])('names file and line of %s', async (_, text, line) => {
    await cli.write('one.yaml', text);
    const [problem] = JSON.parse((await run(['policy', 'lint', 'one.yaml'])).stdout).problems;
    expect(problem.message.split(': ')[0]).toBe(line === null ? 'one.yaml' : `one.yaml:${line}`);
    expect(Object.keys(problem)).toEqual(['code', 'pointer', 'message', 'remedy', 'severity']);
  });

  it('names a member that is missing, since the file is there', async () => {
    await cli.write('one.yaml', POLICY.replace('version: 3\n', ''));
    const [problem] = JSON.parse((await run(['policy', 'lint', 'one.yaml'])).stdout).problems;
    expect(problem.message).toBe('one.yaml: version is missing');
  });

  it('takes the policies and release policies of a folder, and leaves out tests and what is no policy', async () => {
    await mkdir(cli.path('policies/inside.yaml'), { recursive: true });
    await cli.write('policies/b.yaml', POLICY.replace('microcode: 219', 'microcode: 218'));
    await cli.write('policies/b.test.yaml', 'cases: []');
    await cli.write('policies/.hidden.yaml', 'no: policy');
    await cli.write('policies/notes.md', 'no policy');
    await cli.write('policies/key.json', JSON.stringify({ version: '1.0.0', anyOf: [] }));
    // A folder whose name is that of a policy is refused where it stands: the service does not start with it.
    expect(await run(['policy', 'lint', 'policies'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('policies/inside.yaml: is a directory, and a file is expected'),
    });
    await rm(cli.path('policies/inside.yaml'), { recursive: true });
    const { exitCode, stdout } = await run(['policy', 'lint', 'policies']);
    expect(exitCode).toBe(1);
    const problems: { code: string; message: string }[] = JSON.parse(stdout).problems;
    expect(problems.map(({ code, message }) => [code, message.split(': ')[0]])).toEqual([
      ['snp_floor_low', 'policies/b.yaml:5'],
      ['policy_schema', 'policies/key.json:1'],
    ]);
  });

  it('names the file of a folder that has one alone', async () => {
    await mkdir(cli.path('policies'));
    await cli.write('policies/b.yaml', POLICY.replace('microcode: 219', 'microcode: 218'));
    const { stdout } = await run(['policy', 'lint', 'policies/']);
    expect(JSON.parse(stdout).problems).toMatchObject([{ message: expect.stringMatching(/^policies\/b\.yaml:5: /) }]);
  });

  it('ends with 1 for a folder without policies, and says what they are', async () => {
    await mkdir(cli.path('policies'));
    const asked = { exitCode: 1, stdout: '' };
    const policies = 'policies are files *.yaml, *.yml and *.json\n';
    const stderr = `policies: is empty; ${policies}`;
    expect(await run(['policy', 'lint', 'policies'])).toEqual({ ...asked, stderr });
    await cli.write('policies/payments.test.yaml', 'cases: []');
    const none = `policies: has no policies; ${policies}`;
    expect(await run(['policy', 'lint', 'policies'])).toEqual({ ...asked, stderr: none });
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

  it('writes a list with colours on a terminal, without them where they are refused, and JSON where it is asked for', async () => {
    await cli.write('one.yaml', POLICY.replace('snp.vmpl', 'snp.vmpll'));
    const args = ['policy', 'lint', 'one.yaml'];
    const list = [
      'error    rule_type  /rules/0/cel',
      '         one.yaml:6: snp has no claim "vmpll"; did you mean vmpl?',
      '         Correct the expression as the message says; docs/claims.md lists every claim and its type.',
      '',
      '1 error, 0 warnings',
      '',
    ].join('\n');
    expect(await run(args, PLAIN_TERMINAL)).toEqual({
      exitCode: 1,
      stdout: list,
      stderr: '',
    });
    const { stdout } = await run(args, { onTerminal: true });
    expect(stdout.startsWith('\u001b[31merror   \u001b[39m rule_type')).toBe(true);
    expect(await run([...args, '--json'], { onTerminal: true })).toEqual(await run(args));
  });

  it.each<[string, readonly string[], string]>([
    ['an empty file', ['empty.yaml'], 'empty.yaml: is empty'],
    ['standard input without anything', ['-'], 'standard input: is empty'],
    ['no name', [''], 'the name of the file is empty'],
  ])('ends with 1 for %s, and says what is expected', async (_title, files, problem) => {
    await cli.write('empty.yaml', '');
    const stderr = `${problem}\nexpected a policy in YAML or JSON, or a folder of policies\n`;
    expect(await run(['policy', 'lint', ...files])).toEqual({ exitCode: 1, stdout: '', stderr });
  });

  it.each<[string, readonly string[], string]>([
    ['one that is too large', ['good.yaml', 'large.yaml'], 'large.yaml: has more than 262144 bytes\n'],
    ['one that is not UTF-8', ['good.yaml', 'latin.yaml'], 'latin.yaml: is not UTF-8\n'],
    ['standard input twice', ['-', 'good.yaml', '-'], 'standard input is one file: name it once\n'],
    ['a configuration that is not there', ['good.yaml', '--config', 'none'], NO_CONFIGURATION],
  ])('lints nothing for %s', async (_title, args, stderr) => {
    await cli.write('good.yaml', POLICY);
    await cli.write('large.yaml', POLICY.padEnd(256 * 1024 + 1, '#'));
    await cli.write('latin.yaml', Buffer.concat([Buffer.from(POLICY), Buffer.from([0x23, 0xe4])]));
    expect(await run(['policy', 'lint', ...args], { input: POLICY })).toEqual({ exitCode: 1, stdout: '', stderr });
  });

  it('twin: takes a policy of the most bytes there may be', async () => {
    await cli.write('large.yaml', POLICY.padEnd(256 * 1024, '#'));
    expect((await run(['policy', 'lint', 'large.yaml'])).exitCode).toBe(0);
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

  it('writes the text to a terminal, and nothing in it that a terminal would obey', async () => {
    const text = `${POLICY}description: first # \u200b`;
    const sha256 = createHash('sha256').update(text).digest('hex');
    await cli.write('payments.yaml', text);
    expect(await run(['policy', 'show', 'payments.yaml'], PLAIN_TERMINAL)).toEqual({
      exitCode: 0,
      stdout: `# payments version 3, SHA-256 ${sha256}\n${POLICY}description: first # \\u200b\n`,
      stderr: '',
    });
    await cli.write('payments.yaml', POLICY);
    const { stdout } = await run(['policy', 'show', 'payments.yaml'], PLAIN_TERMINAL);
    expect(stdout.split('\n').slice(1).join('\n')).toBe(POLICY);
  });

  it('writes a line for each policy to a terminal', async () => {
    await mkdir(cli.path('policies'));
    await cli.write('policies/a.yaml', POLICY.replace('payments', 'a'));
    await cli.write('policies/b.yaml', `${POLICY.replace('payments', 'b')}description: of b\n`);
    const { stdout } = await run(['policy', 'show'], PLAIN_TERMINAL);
    const lines = stdout.split('\n');
    expect(lines.slice(0, -3).map((line) => line.split(' ')[0])).toEqual(BUILT_IN_POLICIES.map(({ id }) => id));
    expect(lines.slice(-3)).toEqual([
      expect.stringMatching(/^a {19}version 3 {2}[0-9a-f]{16}$/),
      expect.stringMatching(/^b {19}version 3 {2}[0-9a-f]{16} {2}of b$/),
      '',
    ]);
  });

  const EXPECTED = `expected a policy file, or an id: ${BUILT_IN_POLICIES.map(({ id }) => id).join(', ')}\n`;

  it.each<[string, string, string]>([
    ['no name', '', `policy show: is empty\n${EXPECTED}`],
    ['a folder', './policies', `policy show: ./policies: is a directory, and a file is expected\n${EXPECTED}`],
    ['a file that is not there', 'none.yaml', `policy show: none.yaml: there is no such file\n${EXPECTED}`],
    ['a file that is not UTF-8', 'latin.yaml', 'policy show: latin.yaml: is not UTF-8\n'],
    ['a file that is too large', 'large.yaml', 'policy show: large.yaml: has more than 262144 bytes\n'],
    [
      'a file that is no policy',
      'wrong.yaml',
      'wrong.yaml: line 3: /version: must be a whole number from 1 to 9007199254740991 (policy_schema)\nwrong.yaml: line 4: /accepts/0: must be one of snp, tdx, az-snp-vtpm, az-tdx-vtpm, tpm, maa-token, ita-token (policy_schema)\n',
    ],
  ])('ends with 1 and says why for %s', async (_title, name, stderr) => {
    await mkdir(cli.path('policies'));
    await cli.write('latin.yaml', Buffer.from([0xe4]));
    await cli.write('large.yaml', POLICY.padEnd(256 * 1024 + 1, '#'));
    await cli.write('wrong.yaml', POLICY.replace('version: 3', 'version: 0').replace('[snp]', '[sno]'));
    expect(await run(['policy', 'show', name])).toEqual({ exitCode: 1, stdout: '', stderr });
  });

  it('shows none where one of the policy directory does not load', async () => {
    await mkdir(cli.path('policies'));
    await cli.write('policies/payments.yaml', POLICY);
    await cli.write('policies/wrong.yaml', POLICY.replace('id: payments', 'id: Wrong'));
    const { exitCode, stdout, stderr } = await run(['policy', 'show', 'payments']);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^wrong\.yaml: line 2: \/id: /);
  });

  it('ends with 1 for a folder, and says that it is one', async () => {
    await mkdir(cli.path('policies'));
    const { exitCode, stderr } = await run(['policy', 'show', 'policies']);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /^policy show: policies: is a directory, and a file is expected\nexpected a policy file, or an id: azure-cvm-baseline, /,
    );
  });

  it('ends with 1 for a policy that is not there', async () => {
    expect(await run(['policy', 'show', 'none'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('there is no policy none'),
    });
  });
});

import { mkdir, readdir } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CommandLine } from './command-line.js';
import { runInProcess } from './command-line-in-process.js';

const POLICY = `apiVersion: veritee/v1
id: payments
version: 1
accepts: [snp]
minimums: { snp: { Milan: { snp: 24, microcode: 219 } } }
`;

let cli: CommandLine;

beforeEach(async () => {
  cli = await CommandLine.create();
});

afterEach(() => cli.close());

const run = (args: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
  runInProcess(cli, args, { environment });

const entries = async () => (await readdir(cli.folder, { recursive: true })).sort();

describe('veritee check', () => {
  it('ends with 0 and no problems for the defaults, and leaves nothing behind', async () => {
    expect(await cli.run(['check'])).toEqual({ exitCode: 0, stdout: '{\n  "problems": []\n}\n', stderr: '' });
    expect(await entries()).toEqual([]);
  });

  it('ends with 0 where there are warnings alone', async () => {
    const environment = { VERITEE__TPM__INTERMEDIATES: './none' };
    const { exitCode, stdout } = await run(['check', '--json'], environment);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      problems: [{ code: 'config_missing', pointer: '/tpm/intermediates', severity: 'warning' }],
    });
  });

  it('ends with 1 and with everything that is wrong, of the file, of policies and of files that it names', async () => {
    await mkdir(cli.path('policies'));
    await cli.write('policies/broken.yaml', POLICY.replace('version: 1', 'version: one'));
    await cli.write('veritee.yaml', 'log: { level: loud }\ntpm: { roots: [./root.pem] }\n');
    const before = await entries();
    const { exitCode, stdout, stderr } = await run(['check', '--config', 'veritee.yaml']);
    expect([exitCode, stderr]).toEqual([1, '']);
    const { problems } = JSON.parse(stdout) as { problems: readonly { code: string; pointer: string }[] };
    expect(problems.map(({ code, pointer }) => `${code} ${pointer}`)).toEqual([
      'config_schema /log/level',
      'policy_schema /version',
      'config_file /tpm/roots',
    ]);
    expect(await entries()).toEqual(before);
  });

  it.each([
    ['a value that is none', 'deadlineSeconds: soon'],
    [
      'a feature that this version does not have',
      'keys: { db: { vault: "https://v.example", name: k, policy: p, enc: RSA_AES_KEY_WRAP_384 } }',
    ],
    ['a policy directory that is missing', 'policies: { directory: ./none }'],
    ['a default policy that does not exist', 'policies: { default: payments }'],
    ['a root that is missing', 'tpm: { roots: [./root.pem] }'],
    ['keys that are missing', 'ita: { issuers: [{ issuer: me, keys: ./keys.json }] }'],
    ['TLS material that is missing', 'listen: { tls: { cert: ./cert.pem, key: ./key.pem } }'],
    [
      'a credential that is incomplete',
      'maa: { submit: { endpoints: ["https://sharedweu.weu.attest.azure.net"], credential: workload-identity } }',
    ],
    ['a challenge key that is none', 'challenges: { key: ./veritee.yaml }'],
    ['a data folder that is a file', 'stores: { url: "sqlite:./veritee.yaml/veritee.db" }'],
  ])('ends with 1 for %s, with which the service does not start', async (_title, text) => {
    await cli.write('veritee.yaml', text);
    const environment = { VERITEE__LISTEN__PORT: '0', VERITEE__LOG__LEVEL: 'fatal' };
    expect((await run(['check', '--config', 'veritee.yaml'], environment)).exitCode).toBe(1);
    expect((await run(['serve', '--config', 'veritee.yaml'], environment)).exitCode).toBe(1);
  });

  it('ends with 1 for a file that does not exist, and for an argument too many', async () => {
    const { exitCode, stdout } = await cli.run(['check', '--config', 'none.yaml']);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ problems: [{ code: 'config_file', pointer: '', severity: 'error' }] });
    expect(await run(['check', 'veritee.yaml'])).toMatchObject({ exitCode: 1, stdout: '' });
  });
});

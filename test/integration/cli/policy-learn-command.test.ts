import { mkdir, readdir, readFile, stat, symlink } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAzureAkPki, createTrustedLaunchMachine, type TrustedLaunchMachine } from '../../lab/index.js';
import { CommandLine, type Ended } from './command-line.js';
import { runInProcess } from './command-line-in-process.js';

const NONCE = Buffer.alloc(32, 0x61);

let cli: CommandLine;
let config: string;
let machine: TrustedLaunchMachine;

/** A body of the machine as it is then: with this value in PCR 4. */
async function body(name: string, pcr4: number, at?: string): Promise<string> {
  for (const index of [0, 2, 3, 6, 7]) machine.vtpm.setPcr('sha256', index, Buffer.alloc(32, 0x10 + index));
  machine.vtpm.setPcr('sha256', 4, Buffer.alloc(32, pcr4));
  const evidence = machine.wireEvidence({ nonce: NONCE });
  return cli.write(
    name,
    JSON.stringify({ evidence, nonce: NONCE.toString('base64url'), ...(at === undefined ? {} : { at }) }),
  );
}

beforeAll(async () => {
  cli = await CommandLine.create();
  const pki = createAzureAkPki();
  machine = await createTrustedLaunchMachine({ pki });
  await cli.write('ak-root.pem', pki.authority('root').pem);
  config = await cli.write('veritee.yaml', 'tpm: { roots: [ak-root.pem] }\n');
  await cli.write(
    'from.yaml',
    'apiVersion: veritee/v1\nid: vtpms\nversion: 3\naccepts: [tpm]\nminimums: any\nroutes: { hardware: off }\n',
  );
  await body('a.json', 0xa4);
  await body('b.json', 0xb4);
  await body('past.json', 0xa4, '2026-01-01T00:00:00Z');
  await cli.write('own.yaml', 'id: own\n');
  await cli.write('latin.yaml', Buffer.from([0xe4]));
  await cli.write('large.yaml', '#'.repeat(256 * 1024 + 1));
  await mkdir(cli.path('folder.yaml'));
  await mkdir(cli.path('f.test.yaml'));
  await symlink('own.yaml', cli.path('link.yaml'));
});

afterAll(() => cli.close());

const run = (args: readonly string[]) => runInProcess(cli, args);
const learning = (args: readonly string[]) => [
  'policy',
  'learn',
  ...args,
  '--config',
  config,
  ...(args.includes('--from') ? [] : ['--from', 'from.yaml']),
];
const learn = (...args: readonly string[]): Promise<Ended> => run(learning(args));
const verify = (file: string, policy: string) => run(['verify', file, '--config', config, '--policy', policy]);
const read = (name: string) => readFile(cli.path(name), 'utf8');

describe('veritee policy learn', () => {
  it('writes a policy to standard output, and what is in it for people', async () => {
    const { exitCode, stdout, stderr } = await cli.run(learning(['a.json', 'b.json', '--id', 'mine']));
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /^# Written by veritee policy learn\..*\n# from vtpms version 3, sha256 [0-9a-f]{64}\n# learned at /,
    );
    expect(stdout).toMatch(/^id: mine$/m);
    expect(stderr).toMatch(
      /^policy mine\nset 1 is new, from a\.json: tpm\.pcrs\.sha256\.0, .*\nset 2 is new, from b\.json: /,
    );
  });

  it('writes a file and its test, and widens it when it is run again', async () => {
    expect(await learn('a.json', '-o', 'learned.yaml')).toMatchObject({ exitCode: 0, stdout: '' });
    expect((await verify('b.json', 'learned.yaml')).exitCode).toBe(2);
    const { exitCode, stderr } = await learn('b.json', '-o', 'learned.yaml');
    expect([exitCode, stderr]).toEqual([
      0,
      'policy vtpms-learned\nversion 2, was 1\nset 2 is new, from b.json: it differs from set 1 in tpm.pcrs.sha256.4\n',
    ]);
    expect((await verify('b.json', 'learned.yaml')).exitCode).toBe(0);
    const test = await read('learned.test.yaml');
    expect(test).toMatch(/^policy: learned\.yaml$/m);
    expect(test.match(/^ {2}- name: set \d, as it is$/gm)).toHaveLength(2);
    expect((await stat(cli.path('learned.yaml'))).mode & 0o777).toBe(0o644);
    expect((await readdir(cli.folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('keeps cases that somebody added to the test, and says how many', async () => {
    await learn('a.json', '-o', 'added.yaml');
    const own = '  # of our own\n  - name: the other machine\n    request: b.json\n    expect:\n      outcome: deny\n';
    await cli.write('added.test.yaml', `${await read('added.test.yaml')}${own}`);
    const { exitCode, stderr } = await learn('b.json', '-o', 'added.yaml');
    expect([exitCode, stderr]).toEqual([
      0,
      expect.stringMatching(/\nnote: 1 case of the test that policy learn did not write is kept\n$/),
    ]);
    const test = await read('added.test.yaml');
    expect(test.endsWith(own)).toBe(true);
    expect(test.match(/^ {2}- name: set \d, as it is$/gm)).toHaveLength(2);
  });

  it('says that it has replaced the policy that --from names, and its version', async () => {
    await cli.write('inplace.yaml', await read('from.yaml'));
    const { stderr } = await learn('a.json', '--from', 'inplace.yaml', '-o', 'inplace.yaml');
    expect(stderr).toMatch(/^policy vtpms\nversion 4, was 3: inplace\.yaml is replaced\nset 1 is new, /);
  });

  it('leaves the file alone where nothing is new, and where something is refused', async () => {
    await learn('a.json', '-o', 'kept.yaml');
    const [before, times] = [await read('kept.yaml'), await stat(cli.path('kept.yaml'))];
    expect((await learn('a.json', '--from', 'kept.yaml', '-o', 'kept.yaml')).stderr).toMatch(/nothing is new/);
    const refused = await run(['policy', 'learn', 'b.json', '--from', 'kept.yaml', '-o', 'kept.yaml']);
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toMatch(
      /^b\.json: ak_cert_untrusted: the evidence is not allowed by vtpms-learned \(deny\): .*\nnothing is learned\n/,
    );
    expect(await read('kept.yaml')).toBe(before);
    expect((await stat(cli.path('kept.yaml'))).mtimeMs).toBe(times.mtimeMs);
  });

  it('copies a learned policy to which nothing is new, with a test, into a folder that it makes', async () => {
    await learn('a.json', '-o', 'first.yaml');
    const { exitCode, stderr } = await learn('a.json', '--from', 'first.yaml', '-o', 'made/copy.yaml');
    const oneOnly = 'a policy directory takes only one with the id vtpms-learned';
    expect([exitCode, stderr]).toEqual([
      0,
      `policy vtpms-learned\nversion 1 stays as it is: nothing is new\na.json was allowed before, by set 1\nnote: made/copy.yaml is a copy; first.yaml stays as it is: ${oneOnly}\n`,
    ]);
    const other = await learn('b.json', '--from', 'first.yaml', '-o', 'made/other.yaml');
    expect(other.stderr).toContain(`\nnote: made/other.yaml is written, and first.yaml stays as it is: ${oneOnly}\n`);
    expect(await read('made/copy.yaml')).toBe(await read('first.yaml'));
    expect(await read('made/copy.test.yaml')).toMatch(/^policy: copy\.yaml$/m);
  });

  it('learns from standard input, and names it as source', async () => {
    const { exitCode, stderr } = await runInProcess(cli, learning(['-']), {
      input: await readFile(cli.path('a.json')),
    });
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('set 1 is new, from standard input: ')]);
  });

  it('writes warnings about the policy behind what it answers, with policy and place', async () => {
    const from = await read('from.yaml');
    await cli.write('remark.yaml', `${from}referenceValues: [{ tpm: { boot: { commandLines: [quiet] } } }]\n`);
    const { exitCode, stdout, stderr } = await learn('a.json', '--from', 'remark.yaml');
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(
      /\nnothing is learned\nwarning: .+ \(policy vtpms, pointer \/referenceValues\/0\/tpm\/boot, code boot_unpinned\)\n$/,
    );
  });

  it('judges by the baseline where no policy is named', async () => {
    const { exitCode, stderr } = await run(['policy', 'learn', 'a.json', '--config', config]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(
      /^a\.json: policy_evidence_type: the evidence is not allowed by azure-cvm-baseline \(deny\)/,
    );
  });

  it.each<[string, readonly string[], RegExp]>([
    ['no file', [], /missing required argument 'file'/],
    [
      'a file that is no body',
      ['from.yaml'],
      /^from\.yaml: is neither JSON nor a structure that is recognised, and a \/verify body is expected\n/,
    ],
    ['standard input twice', ['-', '-'], /^standard input is one file/],
    ['a policy that is not there', ['a.json', '--from', 'nobody'], /^--from: there is no policy nobody; /],
    ['a time that is none', ['a.json', '--at', 'yesterday'], /^--at: schema: not a time: expected RFC 3339 in UTC/],
    ['an id that is none', ['a.json', '--id', 'My Policy'], /^--id: must be /],
    ['an output that is no YAML', ['a.json', '-o', 'learned.json'], /^-o: learned\.json: a policy is written as YAML/],
    [
      'an output that it did not write',
      ['a.json', '-o', 'own.yaml'],
      /^own\.yaml: is there already, and policy learn did not write it/,
    ],
    [
      'no name',
      [''],
      /^the name of the file is empty\nexpected a file with a \/verify body, as veritee request makes it from a folder, or - for standard input\n$/,
    ],
    ['standard input without anything', ['-'], /^standard input: is empty\nexpected a file with a \/verify body/],
    ['a policy that is not UTF-8', ['a.json', '--from', 'latin.yaml'], /^--from: latin\.yaml: is not UTF-8\n$/],
    ['a policy that does not load', ['a.json', '--from', 'own.yaml'], /^own\.yaml: \/apiVersion: is missing/],
    ['an output that is hidden', ['a.json', '-o', '.x.yaml'], /^-o: \.x\.yaml: a policy is written as YAML/],
    ['an output that is a test', ['a.json', '-o', 'x.test.yml'], /^-o: x\.test\.yml: a policy is written as YAML/],
    ['an output that is a folder', ['a.json', '-o', 'folder.yaml'], /^-o: folder\.yaml: is not a regular file\n$/],
    ['an output that is a link', ['a.json', '-o', 'link.yaml'], /^-o: link\.yaml: is not a regular file\n$/],
    ['an output whose test is a folder', ['a.json', '-o', 'f.yaml'], /^-o: f\.test\.yaml: is not a regular file\n$/],
    ['an output that is not UTF-8', ['a.json', '-o', 'latin.yaml'], /^-o: latin\.yaml: is not UTF-8\n$/],
    [
      'an output that is too large for a policy',
      ['a.json', '-o', 'large.yaml'],
      /^-o: large\.yaml: has more than 262144 bytes\n$/,
    ],
    [
      'an output below a file',
      ['a.json', '-o', 'a.json/x.yaml'],
      /^-o: a\.json\/x\.yaml: cannot be written: there is no such folder\n$/,
    ],
    [
      'an output with a name that no file can have',
      ['a.json', '-o', `${'n'.repeat(300)}.yaml`],
      /^-o: n+\.yaml: cannot be read: its name is too long for the system\n$/,
    ],
    [
      'an output that cannot be written',
      ['a.json', '-o', `${'n'.repeat(240)}.yaml`],
      /^-o: n+\.test\.yaml: cannot be written: its name is too long for the system\n$/,
    ],
    ['an option twice', ['a.json', '--id', 'a', '--id', 'b'], /^--id is given twice/],
  ])('ends with 1 and says why for %s', async (_title, args, message) => {
    const { exitCode, stdout, stderr } = await learn(...args);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(message);
  });

  it('takes several codes, and does not take a file for one', async () => {
    const { exitCode } = await learn('--accept', 'nonce_stale', '--accept', 'nonce_missing', 'a.json');
    expect(exitCode).toBe(0);
  });

  it('does not replace the test of somebody else', async () => {
    await cli.write('tested.test.yaml', 'cases: []\n');
    const { exitCode, stderr } = await learn('a.json', '-o', 'tested.yaml');
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/^-o: tested\.test\.yaml: is there already/)]);
  });
});

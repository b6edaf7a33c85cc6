import { existsSync } from 'node:fs';
import { mkdir, readFile, symlink } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAzureAkPki, createTrustedLaunchMachine } from '../../lab/index.js';
import { CommandLine } from './command-line.js';
import { runInProcess } from './command-line-in-process.js';

const NONCE = Buffer.alloc(32, 0x61);
const OTHER_NONCE = Buffer.alloc(32, 0x62);

const MEMBERS = {
  apiVersion: 'veritee/v1',
  version: 1,
  accepts: ['tpm'],
  minimums: 'any',
  routes: { hardware: 'off' },
};
const RULES = [{ id: 'few-resets', cel: 'tpm.clock.resetCount < 1000' }];

let cli: CommandLine;
let config: string;
/** The policy, without its id. */
let pinned: object;

beforeAll(async () => {
  cli = await CommandLine.create();
  const pki = createAzureAkPki();
  const machine = await createTrustedLaunchMachine({ pki });
  await cli.write('ak-root.pem', pki.authority('root').pem);
  config = await cli.write('veritee.yaml', 'tpm: { roots: [ak-root.pem] }\namd: { kds: off }\n');
  await mkdir(cli.path('policies/requests'), { recursive: true });
  await mkdir(cli.path('empty/two'), { recursive: true });
  await mkdir(cli.path('lines'));
  for (const name of ['p.yaml', 'p.json', 'p.test.yaml']) await cli.write(`empty/two/${name}`, '{}');
  await cli.write('latin.yaml', Buffer.from([0xe4]));
  await symlink('loop.yaml', cli.path('loop.yaml'));
  const evidence = machine.wireEvidence({ nonce: NONCE, quote: { resetCount: 9 } });
  const body = (nonce: Uint8Array) => JSON.stringify({ evidence, nonce: Buffer.from(nonce).toString('base64url') });
  await cli.write(GENUINE_FILE, body(NONCE));
  await cli.write('policies/requests/stale.json', body(OTHER_NONCE));
  const open = await cli.write('open.json', JSON.stringify({ ...MEMBERS, id: 'open' }));
  const answer = await run(['verify', GENUINE_FILE, '--config', config, '--policy', open]);
  expect(answer.exitCode).toBe(0);
  await cli.write('policies/requests/answer.json', answer.stdout);
  const { sha256 } = JSON.parse(answer.stdout).claims.tpm.pcrs;
  pinned = { ...MEMBERS, rules: RULES, referenceValues: [{ tpm: { pcrs: { sha256: { '7': [sha256['7']] } } } }] };
});

afterAll(() => cli.close());

const run = (args: readonly string[]) => runInProcess(cli, args);
const testing = (args: readonly string[]) => ['policy', 'test', ...args, '--config', config];
const test = (...args: readonly string[]) => run(testing(args));

/** Writes a policy, and its test in a folder of policies. */
async function write(id: string, cases: readonly object[], named = `${id}.yaml`): Promise<void> {
  await cli.write(`policies/${id}.yaml`, JSON.stringify({ ...pinned, id }));
  await cli.write(`policies/${id}.test.yaml`, JSON.stringify({ policy: named, cases }));
}

const GENUINE_FILE = 'policies/requests/genuine.json';
const CLAIMS = { type: 'tpm', claims: 'requests/answer.json' };
const GENUINE = { name: 'genuine', request: 'requests/genuine.json', expect: { outcome: 'allow', reasons: [] } };
const STALE = {
  name: 'another nonce',
  request: 'requests/stale.json',
  expect: { outcome: 'deny', reasons: ['nonce_mismatch'] },
};
const OFTEN_RESET = {
  ...CLAIMS,
  name: 'often reset',
  set: { 'tpm.clock.resetCount': 1000 },
  expect: { outcome: 'deny', unmatched: ['rule_not_met', 'few-resets'], reasons: ['rule_not_met'] },
};
const OTHER_BOOT = {
  ...CLAIMS,
  name: 'other boot',
  set: { 'tpm.pcrs.sha256.7': '00'.repeat(32) },
  expect: { outcome: 'deny', unmatched: ['tpm_pcr'], reasons: ['tpm_pcr'] },
};

describe('veritee policy test', () => {
  it('ends with 0 where requests and claims come to what is expected, and all is covered', async () => {
    await write('whole', [GENUINE, STALE, OFTEN_RESET, OTHER_BOOT]);
    const { exitCode, stdout, stderr } = await cli.run(testing(['policies/whole.yaml', '--junit', 'junit.xml']));
    expect([exitCode, stderr]).toEqual([0, '']);
    const { passed, policies } = JSON.parse(stdout);
    expect(passed).toBe(true);
    expect(policies).toHaveLength(1);
    expect(policies[0].coverage).toEqual([
      { pointer: '/rules/0', rule: 'few-resets', passingCase: 'genuine', failingCase: 'often reset', covered: true },
      {
        pointer: '/referenceValues/0/tpm/pcrs/sha256/7',
        rule: null,
        passingCase: 'genuine',
        failingCase: 'other boot',
        covered: true,
      },
    ]);
    const report = await readFile(cli.path('junit.xml'), 'utf8');
    expect(report).toContain('<testsuite name="whole" file="policies/whole.yaml" tests="4" failures="0"');
  });

  it('ends with 1 for an outcome that is not expected, and for a member that no case covers', async () => {
    await write('partly', [{ ...GENUINE, expect: { outcome: 'deny' } }, OFTEN_RESET], 'partly');
    const { exitCode, stdout } = await test('policies/partly.test.yaml', '--junit', 'failures.xml');
    expect(exitCode).toBe(1);
    const [{ cases, coverage }] = JSON.parse(stdout).policies;
    expect(cases.map(({ passed }: { passed: boolean }) => passed)).toEqual([false, true]);
    expect(coverage.map(({ covered }: { covered: boolean }) => covered)).toEqual([true, false]);
    const report = await readFile(cli.path('failures.xml'), 'utf8');
    expect(report).toContain('message="outcome: expected deny, actual allow"');
    expect(report).toContain('name="coverage of /referenceValues/0/tpm/pcrs/sha256/7"');
  });

  it('judges a request at the time of its case, never at one that the body names', async () => {
    const body = JSON.parse(await readFile(cli.path(GENUINE_FILE), 'utf8'));
    await cli.write('policies/requests/past.json', JSON.stringify({ ...body, at: '2001-01-01T00:00:00Z' }));
    await write('timed', [
      { ...GENUINE, at: '2001-01-01', expect: { outcome: 'deny', reasons: ['cert_validity'] } },
      { ...GENUINE, name: 'to come', at: '2999-01-01' },
      { ...GENUINE, name: 'by itself', request: 'requests/past.json' },
      { ...GENUINE, name: 'gone', request: 'requests/gone.json' },
      { ...GENUINE, name: 'malformed', request: 'whole.yaml' },
    ]);
    const { exitCode, stdout } = await test('policies/timed.yaml');
    expect(exitCode).toBe(1);
    const [{ cases }] = JSON.parse(stdout).policies;
    expect(cases.map(({ passed, problem }: { passed: boolean; problem: string }) => [passed, problem])).toEqual([
      [true, null],
      [false, 'at of the case is in the future'],
      [false, 'the request has a verification time, which counts only as at of the case'],
      [false, expect.stringContaining('requests/gone.json: there is no such file')],
      [false, expect.stringMatching(/^policies\/whole\.yaml: schema: .*evidence/)],
    ]);
  });

  it('refuses a policy that names a part of no product line, as the service does at its start', async () => {
    const members = { ...MEMBERS, accepts: ['snp'], routes: {}, minimums: { snp: { Milano: { snp: 24 } } } };
    const policy = await cli.write('lines/milano.yaml', JSON.stringify({ ...members, id: 'milano' }));
    const { exitCode, stderr } = await test(policy);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('/minimums/snp/Milano: there is no part Milano, neither built in nor in amd.products');
  });

  it('TPM-10 neither reads nor raises the counts of a vTPM', async () => {
    const tracking = { ...MEMBERS, id: 'tracking', require: { tpm: { trackResets: true } } };
    const policy = await cli.write('policies/tracking.yaml', JSON.stringify(tracking));
    const cases = [{ ...GENUINE, name: 'now' }];
    await cli.write('policies/tracking.test.yaml', JSON.stringify({ policy: 'tracking', cases }));
    expect((await test(policy)).exitCode).toBe(0);
    expect(existsSync(cli.path('data/tpm-resets'))).toBe(false);
    const verified = await run(['verify', GENUINE_FILE, '--config', config, '--policy', policy]);
    expect([verified.exitCode, existsSync(cli.path('data/tpm-resets'))]).toEqual([0, true]);
  });

  it('passes the test that policy learn writes', async () => {
    await mkdir(cli.path('learned'));
    await cli.write('pinned.json', JSON.stringify({ ...pinned, id: 'pinned' }));
    const args = ['--config', config, '--from', 'pinned.json', '-o', 'learned/learned.yaml'];
    expect((await run(['policy', 'learn', GENUINE_FILE, ...args])).exitCode).toBe(0);
    const { exitCode, stdout } = await test('learned');
    const [{ coverage }] = JSON.parse(stdout).policies;
    expect(coverage.filter(({ covered }: { covered: boolean }) => !covered)).toEqual([]);
    expect([exitCode, coverage.length > 1]).toEqual([0, true]);
  });

  it('takes every policy of a folder, by default of the policy directory', async () => {
    await mkdir(cli.path('directory'));
    await cli.write('directory/plain.yaml', JSON.stringify({ ...MEMBERS, id: 'plain' }));
    await cli.write('directory/ruled.yaml', JSON.stringify({ ...MEMBERS, rules: RULES, id: 'ruled' }));
    const cases = [
      { ...OFTEN_RESET, claims: { tpm: { clock: { resetCount: 5 } } } },
      {
        name: 'seldom reset',
        type: 'tpm',
        claims: { tpm: { clock: { resetCount: 5 } } },
        expect: { outcome: 'allow' },
      },
    ];
    await cli.write('directory/ruled.test.json', JSON.stringify({ policy: 'ruled', cases }));
    const folder = await test('directory');
    expect(folder.exitCode).toBe(0);
    const own = await cli.write('own.yaml', 'policies: { directory: directory }\n');
    const byDefault = await run(['policy', 'test', '--config', own]);
    expect(byDefault).toEqual(folder);
    expect(JSON.parse(folder.stdout).policies.map(({ id, testFile }: never) => [id, testFile])).toEqual([
      ['plain', null],
      ['ruled', 'directory/ruled.test.json'],
    ]);
    // The service takes none of them for a policy.
    const served = await run(['verify', GENUINE_FILE, '--config', own, '--policy', 'ruled']);
    expect(JSON.parse(served.stdout).policies).toMatchObject([{ id: 'ruled' }]);
  });

  it('ends with 1 for a policy with rules or reference values that has no test', async () => {
    await cli.write('untested.yaml', JSON.stringify({ ...MEMBERS, rules: RULES, id: 'untested' }));
    const { exitCode, stdout } = await test('untested.yaml');
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout).policies[0].coverage).toMatchObject([{ passingCase: null, failingCase: null }]);
  });

  it('says everything that is malformed, and then runs nothing', async () => {
    await mkdir(cli.path('wrong'));
    const wrong = (name: string, content: object) => cli.write(`wrong/${name}`, JSON.stringify(content));
    await wrong('a.yaml', { ...MEMBERS, rules: RULES, id: 'a' });
    await cli.write('wrong/claims.txt', 'tpm: { clock: { resetCount: "5" } }');
    await wrong('a.test.yaml', {
      policy: 'a.yaml',
      cases: [
        { ...OFTEN_RESET, claims: {}, set: { 'tpm.clok.safe': true } },
        { ...OTHER_BOOT, claims: 'gone.json' },
        { ...OTHER_BOOT, name: 'typed', claims: 'claims.txt' },
      ],
    });
    await wrong('b.yaml', { ...MEMBERS, id: 'b', version: 0 });
    await wrong('c.yaml', { ...MEMBERS, rules: RULES, id: 'c' });
    await wrong('c.test.yaml', { policy: 'a.yaml', cases: [{ name: 'x', expect: {} }] });
    await wrong('d.yaml', { ...MEMBERS, rules: RULES, id: 'd' });
    await wrong('d.test.yaml', { policy: 'a.yaml', cases: [OFTEN_RESET] });
    await wrong('e.test.yaml', { policy: 'e.yaml', cases: [OFTEN_RESET] });
    await wrong('f.yaml', { ...MEMBERS, id: 'f' });
    await wrong('f.test.yaml', { policy: 'f.yaml', cases: [OFTEN_RESET] });
    await wrong('f.test.json', { policy: 'f.yaml', cases: [OFTEN_RESET] });
    await cli.write('wrong.xml', 'that of an earlier run');
    const { exitCode, stdout, stderr } = await test('wrong', '--junit', 'wrong.xml');
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr.trimEnd().split('\n').sort()).toEqual([
      'wrong/a.test.yaml: /cases/0/set/tpm.clok.safe: has no claim "clok"; did you mean clock? (policy_schema)',
      'wrong/a.test.yaml: /cases/1/claims: gone.json: there is no such file',
      'wrong/a.test.yaml: /cases/2/claims: claims.txt: /tpm/clock/resetCount: must be of type int (policy_schema)',
      'wrong/b.yaml: line 1: /version: must be a whole number from 1 to 9007199254740991 (policy_schema)',
      'wrong/c.test.yaml: /cases/0/expect/outcome: is missing (policy_schema)',
      'wrong/d.test.yaml: /policy: is a.yaml, and the policy beside it is d.yaml with the id d',
      'wrong/e.test.yaml: there is no policy e.yaml beside it',
      'wrong/f.yaml: belongs to f.test.json and f.test.yaml',
    ]);
    const report = await readFile(cli.path('wrong.xml'), 'utf8');
    expect(report).toContain('<testsuites name="veritee policy test" tests="1" failures="0" errors="1" skipped="0">');
    expect(report).toContain('\nwrong/f.yaml: belongs to f.test.json and f.test.yaml\n');
  });

  it('writes a report with an error where the configuration keeps the tests from running', async () => {
    await cli.write('bad.yaml', 'tpm: { rots: [] }\n');
    const args = ['policy', 'test', 'open.json', '--config', 'bad.yaml', '--junit'];
    expect((await run([...args, 'bad.xml'])).exitCode).toBe(1);
    expect(await readFile(cli.path('bad.xml'), 'utf8')).toContain('errors="1"');
    const { exitCode, stdout, stderr } = await run([...args, 'empty']);
    expect([exitCode, stdout, stderr.split('\n').slice(1)]).toEqual([
      1,
      '',
      ['--junit: empty: cannot be written: it is a directory', ''],
    ]);
  });

  it('says of each case what is wrong with the file of its claims', async () => {
    await mkdir(cli.path('claims/folder'), { recursive: true });
    await cli.write('claims/p.yaml', JSON.stringify({ ...MEMBERS, rules: RULES, id: 'p' }));
    await cli.write('claims/latin.txt', Buffer.from([0xe4]));
    await cli.write('claims/large.txt', '#'.repeat(1024 * 1024 + 1));
    await cli.write('claims/broken.txt', '{');
    await symlink('loop.txt', cli.path('claims/loop.txt'));
    const files = [
      'gone.txt',
      'gone.txt',
      'folder',
      'latin.txt',
      'large.txt',
      'broken.txt',
      'loop.txt',
      '-',
      'a\u0000b',
    ];
    const absolute = cli.path('claims/gone.txt');
    const cases = [...files, absolute].map((claims, index) => ({ ...OFTEN_RESET, name: `${index}`, claims }));
    await cli.write('claims/p.test.yaml', JSON.stringify({ policy: 'p', cases }));
    const { exitCode, stdout, stderr } = await test('claims');
    expect([exitCode, stdout]).toEqual([1, '']);
    const place = (index: number) => `claims/p.test.yaml: /cases/${index}/claims: `;
    expect(stderr.trimEnd().split('\n')).toEqual([
      `${place(0)}gone.txt: there is no such file`,
      `${place(1)}gone.txt: there is no such file`,
      `${place(2)}folder: is a directory, and a file is expected`,
      `${place(3)}latin.txt: is not UTF-8`,
      `${place(4)}large.txt: has more than 1048576 bytes`,
      expect.stringContaining(`${place(5)}broken.txt: `),
      `${place(6)}loop.txt: cannot be read: its name is a symbolic link that leads in a circle`,
      `${place(7)}-: there is no such file`,
      `${place(8)}a\\u0000b: no file has a NUL character in its name`,
      `${place(9)}${absolute}: there is no such file`,
    ]);
  });

  it('judges each case by its own file, never by standard input', async () => {
    await write('own-files', [
      { ...GENUINE, name: 'standard input', request: '-' },
      { ...GENUINE, name: 'folder', request: 'requests' },
      { ...GENUINE, name: 'absolute', request: cli.path(GENUINE_FILE) },
    ]);
    const input = await readFile(cli.path(GENUINE_FILE));
    const { exitCode, stdout } = await runInProcess(cli, testing(['policies/own-files.yaml']), { input });
    const expected = 'expected a file with a /verify body, as veritee request makes it from a folder';
    expect([exitCode, JSON.parse(stdout).policies[0].cases.map(({ problem }: never) => problem)]).toEqual([
      1,
      [
        `policies/-: there is no such file; ${expected}`,
        `policies/requests: is a directory, and a file is expected; ${expected}`,
        null,
      ],
    ]);
  });

  it('takes a policy once, however often and by whichever name it is given', async () => {
    await write('once', [GENUINE, OFTEN_RESET, OTHER_BOOT]);
    const names = ['policies/once.yaml', './policies/once.test.yaml', cli.path('policies/once.yaml')];
    const { exitCode, stdout } = await test(...names);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout).policies.map(({ id }: { id: string }) => id)).toEqual(['once']);
  });

  it('opens no verifier for claims alone, and says why there is none for requests', async () => {
    const rootless = await cli.write('rootless.yaml', 'tpm: { roots: [gone.pem] }\n');
    const withClaims = [{ ...OFTEN_RESET, claims: { tpm: { clock: { resetCount: 1000 } } }, set: undefined }];
    await mkdir(cli.path('rootless'));
    await cli.write('rootless/p.yaml', JSON.stringify({ ...MEMBERS, rules: RULES, id: 'p' }));
    await cli.write('rootless/p.test.yaml', JSON.stringify({ policy: 'p', cases: withClaims }));
    const args = ['policy', 'test', 'rootless', '--config', rootless];
    const { exitCode, stdout, stderr } = await run(args);
    expect([exitCode, stderr]).toEqual([1, '']);
    expect(JSON.parse(stdout).policies[0]).toMatchObject({
      cases: [{ passed: true }],
      coverage: [{ passingCase: null, failingCase: 'often reset' }],
    });
    const cases = [...withClaims, { ...GENUINE, request: '../open.json' }];
    await cli.write('rootless/p.test.yaml', JSON.stringify({ policy: 'p', cases }));
    expect(await run(args)).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'tpm.roots: gone.pem: there is no such file\n',
    });
  });

  it('writes warnings of the verifier as lines on a terminal, else as records of the log', async () => {
    const chainless = await cli.write(
      'chainless.yaml',
      'tpm: { roots: [ak-root.pem] }\namd: { kds: off, chains: gone }\n',
    );
    await cli.write('plain.json', JSON.stringify({ ...MEMBERS, id: 'plain' }));
    await cli.write(
      'plain.test.json',
      JSON.stringify({ policy: 'plain', cases: [{ ...GENUINE, request: GENUINE_FILE }] }),
    );
    const args = ['policy', 'test', 'plain.json', '--config', chainless];
    const shown = await runInProcess(cli, args, { onTerminal: true });
    expect([shown.exitCode, shown.stderr]).toEqual([
      0,
      'warning: configured folder does not exist, continuing without it (key amd.chains, folder gone, why there is no such folder)\n',
    ]);
    const logged = await run(args);
    expect([logged.exitCode, JSON.parse(logged.stderr)]).toEqual([
      0,
      expect.objectContaining({
        level: 'warn',
        key: 'amd.chains',
        folder: 'gone',
        why: 'there is no such folder',
        msg: 'configured folder does not exist, continuing without it',
      }),
    ]);
  });

  it('writes a table on a terminal, and JUnit XML of the same', async () => {
    await cli.write('shown.yaml', JSON.stringify({ ...MEMBERS, id: 'shown', rules: RULES }));
    const claims = { tpm: { clock: { resetCount: 1000 } } };
    const cases = [{ ...OFTEN_RESET, claims, set: undefined, expect: { outcome: 'allow' } }];
    await cli.write('shown.test.yaml', JSON.stringify({ policy: 'shown', cases }));
    const surroundings = { onTerminal: true, environment: { NO_COLOR: '1' } };
    const args = testing(['shown.yaml', '--junit', 'shown.xml']);
    expect(await runInProcess(cli, args, surroundings)).toEqual({
      exitCode: 1,
      stdout: `shown  shown.test.yaml
fail  often reset
      outcome: expected allow, actual deny
      reasons: rule_not_met
      unmatched: rule_not_met, few-resets
      fail rule_not_met: the rule few-resets is not met: tpm.clock.resetCount <
        1000 is false, because tpm.clock.resetCount is 1000

policy  member                 passing case     failing case
shown   /rules/0 (few-resets)  no passing case  often reset

0 of 1 cases pass, 0 of 1 members are covered
`,
      stderr: '',
    });
    expect(await readFile(cli.path('shown.xml'), 'utf8')).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="veritee policy test" tests="2" failures="2" errors="0" skipped="0">
  <testsuite name="shown" file="shown.yaml" tests="2" failures="2" errors="0" skipped="0">
    <testcase name="often reset" classname="shown">
      <failure message="outcome: expected allow, actual deny" type="case">outcome: expected allow, actual deny
reasons: rule_not_met
unmatched: rule_not_met, few-resets
fail rule_not_met: the rule few-resets is not met: tpm.clock.resetCount &lt; 1000 is false, because tpm.clock.resetCount is 1000</failure>
    </testcase>
    <testcase name="coverage of /rules/0 (few-resets)" classname="shown">
      <failure message="no passing case" type="coverage">no passing case</failure>
    </testcase>
  </testsuite>
</testsuites>
`);
  });

  it.each<[string, readonly string[], string]>([
    ['a file that is not there', ['gone.yaml'], 'gone.yaml: there is no such file\n'],
    ['a folder that is not there', ['gone/'], 'gone/: there is no such file\n'],
    [
      'a folder without policies',
      ['policies/requests/..', 'empty'],
      'empty: has no policies; policies are files *.yaml, *.yml and *.json\n',
    ],
    ['no name', [''], 'the name of the policy, test or folder is empty\n'],
    ['a file that is not UTF-8', ['latin.yaml'], 'latin.yaml: is not UTF-8\n'],
    [
      'a link in a circle',
      ['loop.yaml'],
      'loop.yaml: cannot be read: its name is a symbolic link that leads in a circle\n',
    ],
    ['a test of two policies', ['empty/two/p.test.yaml'], 'empty/two/p.test.yaml: belongs to p.json and p.yaml\n'],
    [
      'a report without a name',
      ['open.json', '--junit', ''],
      '--junit: is empty, and the name of a file is expected\n',
    ],
    [
      'a report that is a folder',
      ['open.json', '--junit', 'empty'],
      '--junit: empty: cannot be written: it is a directory\n',
    ],
    [
      'a report that cannot be written',
      ['open.json', '--junit', 'nowhere/junit.xml'],
      '--junit: nowhere/junit.xml: cannot be written: there is no such folder\n',
    ],
  ])('ends with 1 for %s', async (_title, args, message) => {
    const { exitCode, stdout, stderr } = await test(...args);
    expect([exitCode, stdout, stderr]).toEqual([1, '', message]);
  });

  it.each([
    ['there is no policy directory', 'nowhere', 'there is no such folder'],
    ['a file is configured as policy directory', 'open.json', 'is a file, and a folder is expected'],
  ])('ends with 1 where %s', async (_title, directory, problem) => {
    const configured = await cli.write('directory.yaml', JSON.stringify({ policies: { directory } }));
    expect(await run(['policy', 'test', '--config', configured])).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: `policies.directory: ${directory}: ${problem}\nname the policies, tests or folders that are meant\n`,
    });
  });
});

import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { PROJECT, readProjectFile } from '../architecture/project-files.js';
import { TlsAuthority } from '../lab/tls-authority.js';
import { isLacking } from '../requirements.js';

const SUITE = 'the commands of docs/deployment.md for two replicas of the chart';
const LACKING = isLacking(SUITE, [{ what: 'openssl', command: ['openssl', 'version'] }]);

/** There is no cluster: both end well, and leave what they were told. */
const WITHOUT_CLUSTER = 'told() { echo "$@" >> told; }; kubectl() { told kubectl "$@"; }; helm() { told helm "$@"; };';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'veritee-chart-'));
  for (const name of ['dist', 'node_modules', 'openapi.yaml', 'package.json', 'examples'])
    symlinkSync(join(inject('installation'), name), join(folder, name));
  cpSync(join(PROJECT, 'deploy/helm'), join(folder, 'deploy/helm'), { recursive: true });
  const { key, cert } = new TlsAuthority().issueForLoopback(['veritee.example']);
  writeFileSync(join(folder, 'tls.crt'), cert);
  writeFileSync(join(folder, 'tls.key'), key, { mode: 0o600 });
});

afterAll(() => rmSync(folder, { recursive: true }));

/** The commands that follow that word of the page. */
function documented(word: string): string {
  const page = readProjectFile('docs/deployment.md');
  const [, block = ''] = /^```sh\n([\s\S]*?)^```$/m.exec(page.slice(page.indexOf(`**${word}**`))) ?? [];
  expect(block).not.toBe('');
  return block;
}

function run(commands: string) {
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder };
  return spawnSync('bash', ['-ec', `${WITHOUT_CLUSTER}\n${commands}`], { cwd: folder, env, encoding: 'utf8' });
}

const check = (commands: string) => {
  const { status, stdout, stderr } = run(commands);
  expect(stderr).toBe('');
  const problems: readonly { readonly code: string; readonly pointer: string }[] = JSON.parse(stdout).problems;
  return { status, problems: problems.map(({ code, pointer }) => `${code} ${pointer}`) };
};

describe.skipIf(LACKING)(SUITE, () => {
  beforeAll(() => {
    mkdirSync(join(folder, 'secrets/store'), { recursive: true });
    writeFileSync(join(folder, 'secrets/store/password'), 'secret\n', { mode: 0o600 });
    const { status, stderr } = run(documented('Two replicas'));
    expect([status, stderr]).toEqual([0, '']);
  });

  it('make all files of the Secrets that the pods mount, and no others', () => {
    expect(readdirSync(join(folder, 'secrets'), { recursive: true }).toSorted()).toEqual([
      'challenges',
      'challenges/key',
      'receipts',
      'receipts/key.pem',
      'store',
      'store/password',
    ]);
    expect(readFileSync(join(folder, 'told'), 'utf8').trim().split('\n')).toEqual([
      ...['challenges', 'receipts', 'store'].map(
        (name) => `kubectl -n veritee create secret generic veritee-${name} --from-file=secrets/${name}`,
      ),
      'kubectl -n veritee create secret tls veritee-tls --cert=tls.crt --key=tls.key',
      'helm upgrade --install veritee deploy/helm/veritee --namespace veritee --values values.yaml --set-file config=veritee.yaml',
    ]);
  });

  it('check the configuration, and find nothing that would keep a replica from starting', () => {
    const { status, problems } = check(documented('Check'));
    // The key of the example ends one day, which is a warning.
    expect([status, problems.filter((each) => !each.startsWith('config_expiry'))]).toEqual([0, []]);
  });

  it('find what is missing where the variable of the key of challenges is, or a file of a Secret', () => {
    expect(check(documented('Check').replace(/VERITEE__CHALLENGES__KEY=\S+/, ''))).toMatchObject({
      status: 1,
      problems: expect.arrayContaining(['config_schema /challenges/key']),
    });
    renameSync(join(folder, 'secrets/store/password'), join(folder, 'password'));
    const without = check(documented('Check'));
    renameSync(join(folder, 'password'), join(folder, 'secrets/store/password'));
    expect(without).toMatchObject({
      status: 1,
      problems: expect.arrayContaining(['config_file /stores/passwordFile']),
    });
  });
});

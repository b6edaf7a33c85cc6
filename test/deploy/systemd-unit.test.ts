import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfiguration } from '../../src/config/load-configuration.js';
import { readProjectFile } from '../architecture/project-files.js';
import { isLacking } from '../requirements.js';

const UNIT = readProjectFile('deploy/veritee.service');
const TEMPLATE = readProjectFile('deploy/veritee@.service');
const settings = (name: string) => [...UNIT.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value]) => value);

const WITHOUT_SYSTEMD = isLacking('deploy/veritee.service', [
  { what: 'systemd-analyze', command: ['systemd-analyze', '--version'] },
]);

/** The maximum of `security`: 1.1 of 10, in its tenths. The rest is needed by a service of the network: docs/deployment.md. */
const MOST_EXPOSURE = 11;

describe('deploy/veritee.service', () => {
  it('tells the main process alone to stop, gives it time, and reloads by SIGHUP', () => {
    expect(settings('KillMode')).toEqual(['mixed']);
    // The service takes 18 seconds at most.
    expect(Number(settings('TimeoutStopSec')[0])).toBeGreaterThanOrEqual(20);
    expect(settings('ExecReload')).toEqual(['/bin/kill -HUP $MAINPID']);
    expect(settings('KillSignal')).toEqual([]);
  });

  it('starts the command of the image, with the same options of Node', () => {
    const [, entry] = /^ENTRYPOINT (.*)$/m.exec(readProjectFile('Dockerfile')) ?? [];
    const [, ...options] = JSON.parse(entry ?? '[]');
    expect(settings('ExecStart')).toEqual([
      `/usr/bin/node ${options.join(' ')} serve --config /etc/veritee/veritee.yaml`,
    ]);
  });

  it('keeps what it writes in one folder that nobody else reads', () => {
    expect([settings('StateDirectory'), settings('StateDirectoryMode')]).toEqual([['veritee'], ['0700']]);
    expect(settings('WorkingDirectory')).toEqual(['/var/lib/veritee']);
    expect(settings('UMask')).toEqual(['0077']);
  });

  it('takes secrets from the store of credentials, by name alone: one that is missing does not keep it from starting', () => {
    const credentials = settings('LoadCredential');
    expect(credentials).toEqual([
      'veritee.tls-key',
      'veritee.challenges-key',
      'veritee.receipts-key',
      'veritee.store-password',
      'veritee.proxy-password',
    ]);
    const guide = readProjectFile('docs/deployment.md');
    for (const name of credentials) expect(guide).toContain(`/etc/credstore/${name}`);
    expect(settings('SetCredential')).toEqual([]);
    expect(settings('EnvironmentFile')).toEqual([]);
  });

  it('leaves no copy of memory on a disk', () => {
    expect([settings('LimitCORE'), settings('MemorySwapMax')]).toEqual([['0'], ['0']]);
  });

  it('cannot ask the metadata service of a cloud', () => {
    expect(settings('IPAddressDeny')).toEqual(['link-local multicast']);
  });
});

describe('deploy/veritee@.service', () => {
  it('differs from the unit in what a replica has of its own', () => {
    const linesOf = (unit: string) => unit.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const [one, several] = [linesOf(UNIT), linesOf(TEMPLATE)];
    expect(several.filter((line) => !one.includes(line))).toEqual([
      'Description=veritee, a verifier for confidential VM evidence, on port %i',
      'StateDirectory=veritee-%i',
      'WorkingDirectory=/var/lib/veritee-%i',
      'Environment=VERITEE__LISTEN__PORT=%i',
      'Environment=VERITEE__CHALLENGES__KEY=%d/veritee.challenges-key',
      'Environment=VERITEE__RECEIPTS__KEY=%d/veritee.receipts-key',
    ]);
    expect(one.filter((line) => !several.includes(line))).toEqual([
      'Description=veritee, a verifier for confidential VM evidence',
      'StateDirectory=veritee',
      'WorkingDirectory=/var/lib/veritee',
    ]);
  });

  it('sets variables that the configuration has', () => {
    const environment = Object.fromEntries(
      [...TEMPLATE.matchAll(/^Environment=(VERITEE__\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [
        name,
        value.replace('%i', '8081').replace('%d', '/run/credentials/veritee@8081.service'),
      ]),
    );
    const { listen, challenges, receipts } = loadConfiguration({ text: '{}', environment });
    expect([listen.port, challenges.key, receipts.key]).toEqual([
      8081,
      '/run/credentials/veritee@8081.service/veritee.challenges-key',
      '/run/credentials/veritee@8081.service/veritee.receipts-key',
    ]);
  });
});

describe.skipIf(WITHOUT_SYSTEMD).each([
  ['veritee.service', UNIT],
  ['veritee@.service', TEMPLATE],
])('systemd-analyze of %s', (name, unit) => {
  let folder: string;
  let file: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'veritee-unit-'));
    file = join(folder, name);
    // The program has to be where the unit says, which is elsewhere on some machines.
    writeFileSync(file, unit.replace('/usr/bin/node', process.execPath));
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  function analyze(...command: readonly string[]) {
    const { status, stdout, stderr } = spawnSync('systemd-analyze', [...command, file], { encoding: 'utf8' });
    return { status, stdout, stderr };
  }

  it('verify has nothing to say of it', () => {
    const { status, stderr } = analyze('verify', '--man=no', '--recursive-errors=no');
    expect([status, stderr]).toEqual([0, '']);
  });

  it('twin: it finds a setting that does not exist', () => {
    writeFileSync(join(folder, 'wrong.service'), unit.replace('LockPersonality=', 'LockPersonalities='));
    const { stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', join(folder, 'wrong.service')], {
      encoding: 'utf8',
    });
    expect(stderr).toContain('LockPersonalities');
  });

  it(`security rates it at most ${MOST_EXPOSURE / 10} of 10`, () => {
    const { status, stdout } = analyze('security', '--offline=true', '--no-pager', `--threshold=${MOST_EXPOSURE}`);
    const [line = ''] = /Overall exposure level.*/.exec(stdout) ?? [];
    process.stdout.write(`${line}\n`);
    expect([status, line]).toEqual([0, expect.stringContaining('exposure level')]);
  });
});

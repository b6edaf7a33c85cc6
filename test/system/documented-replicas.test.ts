import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { freePort } from '../integration/free-port.js';
import { isWithoutPostgres, PostgresServer } from '../integration/stores/postgres-server.js';
import { isLacking } from '../requirements.js';

const SUITE = 'the commands of docs/stores.md';
const LACKING =
  isWithoutPostgres(SUITE) ||
  isLacking(SUITE, [
    { what: 'psql', command: ['psql', '--version'] },
    { what: 'jq', command: ['jq', '--version'] },
    { what: 'curl', command: ['curl', '--version'] },
  ]);

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
/** Ports of the commands: first and second replica. */
const DOCUMENTED = ['8081', '8082'];

let folder: string;
let server: PostgresServer;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'veritee-replicas-'));
  const installation = inject('installation');
  const packages = join(installation, 'node_modules');
  cpSync(installation, folder, { recursive: true, filter: (from) => from !== packages });
  symlinkSync(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
  cpSync(join(PROJECT, 'deploy/compose'), join(folder, 'deploy/compose'), { recursive: true });
});

afterAll(() => rmSync(folder, { recursive: true }));

/** Blocks of commands in that section. */
function blocksOf(title: string): readonly string[] {
  const page = readFileSync(join(PROJECT, 'docs/stores.md'), 'utf8');
  const [, section = ''] = page.split(`\n## ${title}\n`);
  return [...(section.split('\n## ')[0] ?? '').matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block);
}

const REPLICAS = blocksOf('Two replicas on one machine');
const KEY = blocksOf('The key of challenges');

/** Ends with all processes that the commands have started. Ports are others, and so is the server. */
async function run(commands: string): Promise<{ exitCode: unknown; said: string; complained: string }> {
  // Of the address over the network, passwords are asked for, as in Debian.
  server = await PostgresServer.start({ hba: ['local all all trust', 'host all all 127.0.0.1/32 scram-sha-256'] });
  let script = commands.replace('npm ci && npm run -s build\n', '');
  expect(script).toContain('sudo -u postgres psql');
  expect(script).toContain('127.0.0.1:5432');
  const superuser = `psql -h '${server.socketFolder}' -p ${server.port} -U ${server.user}`;
  script = script.replace('psql -q <<END', 'psql -q -d postgres <<END');
  script = script
    .replaceAll('sudo -u postgres psql', superuser)
    .replaceAll('127.0.0.1:5432', `127.0.0.1:${server.port}`);
  for (const port of DOCUMENTED) {
    expect(script).toContain(port);
    script = script.replaceAll(port, String(await freePort()));
  }
  rmSync(join(folder, 'data'), { recursive: true, force: true });
  rmSync(join(folder, 'deploy/secrets'), { recursive: true, force: true });
  const shell = spawn('bash', ['-c', `set -e\ntrap 'kill $(jobs -p); wait' EXIT\n${script}`], {
    cwd: folder,
    detached: true,
  });
  const [said, complained] = [text(shell.stdout), text(shell.stderr)];
  const exitCode = await new Promise((resolve) => shell.once('exit', resolve));
  await server.close();
  return { exitCode, said: await said, complained: await complained };
}

describe.skipIf(LACKING)(SUITE, () => {
  it('start two replicas, and show that a challenge is good once and that they have one log', {
    timeout: 180_000,
  }, async () => {
    expect(REPLICAS).toHaveLength(2);
    const { exitCode, said, complained } = await run(REPLICAS.join(''));
    expect([exitCode, complained]).toEqual([0, '']);
    const answers = said.trim().split('\n').slice(-3);
    expect(answers).toEqual(['["cert_untrusted"]', '["cert_untrusted","nonce_used"]', '2']);
  });

  it('change the key of challenges, with which no replica starts before its fingerprint is gone', {
    timeout: 240_000,
  }, async () => {
    const [start = ''] = REPLICAS;
    const [, launch = ''] = /(^\(cd data\/1 && VERITEE__LISTEN[\s\S]*)$/m.exec(start) ?? [];
    const [, first = ''] = /^(\(cd data\/1 .*\)) &$/m.exec(launch) ?? [];
    const [, change = '', remove = ''] = /^([\s\S]*\n)(sudo -u postgres psql .*\n)$/.exec(KEY.join('')) ?? [];
    expect([launch, first, change, remove]).not.toContain('');
    const refused = `${first} 2> data/refused || echo "refused: $?"\n`;
    const { exitCode, said, complained } = await run(`${start}${change}${refused}${remove}${launch}cat data/refused\n`);
    expect([exitCode, complained]).toEqual([0, '']);
    expect(said.split('\n').slice(-3)).toEqual([
      'refused: 1',
      expect.stringContaining('run DELETE FROM veritee.challenge_key there as the owner'),
      '',
    ]);
  });
});

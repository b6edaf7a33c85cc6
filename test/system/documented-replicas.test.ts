import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { isLacking } from '../requirements.js';

const SUITE = 'the commands of docs/stores.md for two replicas';
const LACKING = isLacking(SUITE, [
  { what: 'valkey-server', command: ['valkey-server', '--version'] },
  { what: 'jq', command: ['jq', '--version'] },
  { what: 'curl', command: ['curl', '--version'] },
]);

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
/** Ports of the commands: server, first and second replica. */
const DOCUMENTED = ['6379', '8081', '8082'];

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'veritee-replicas-'));
  const installation = inject('installation');
  const packages = join(installation, 'node_modules');
  cpSync(installation, folder, { recursive: true, filter: (from) => from !== packages });
  symlinkSync(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
  cpSync(join(PROJECT, 'deploy/compose'), join(folder, 'deploy/compose'), { recursive: true });
});

afterAll(() => rmSync(folder, { recursive: true }));

/** The commands of the section, with other ports. */
async function documentedCommands(): Promise<string> {
  const page = readFileSync(join(PROJECT, 'docs/stores.md'), 'utf8');
  const [, section = ''] = page.split('\n## Two replicas on one machine\n');
  const blocks = [...(section.split('\n## ')[0] ?? '').matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block);
  expect(blocks).toHaveLength(2);
  let commands = blocks.join('').replace('npm ci && npm run -s build\n', '');
  for (const port of DOCUMENTED) {
    expect(commands).toContain(port);
    commands = commands.replaceAll(port, String(await freePort()));
  }
  return commands;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe.skipIf(LACKING)(SUITE, () => {
  it('start both, and show that a challenge is good once and that they have one log', {
    timeout: 180_000,
  }, async () => {
    const script = `set -e\ntrap 'kill $(jobs -p); wait' EXIT\n${await documentedCommands()}`;
    const shell = spawn('bash', ['-c', script], { cwd: folder, detached: true });
    const [said, complained] = [text(shell.stdout), text(shell.stderr)];
    const exitCode = await new Promise((resolve) => shell.once('exit', resolve));
    expect([exitCode, await complained]).toEqual([0, '']);
    const answers = (await said).trim().split('\n').slice(-3);
    expect(answers).toEqual(['["cert_untrusted"]', '["cert_untrusted","nonce_used"]', '2']);
  });
});

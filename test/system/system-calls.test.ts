import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { createAmdPki, createVirtualMachine } from '../lab/index.js';
import { isLacking } from '../requirements.js';
import { Client } from './client.js';
import { ServiceProcess } from './service-process.js';

/** systemd is not the first process here. So a tracer answers each system call that the filter of the unit refuses, as the filter would. */

const REQUIREMENTS = [
  { what: 'strace, and the right to trace', command: ['strace', '-o', '/dev/null', 'true'] },
  { what: 'systemd-analyze', command: ['systemd-analyze', '--version'] },
] as const;

/** System calls of a group, such as `@system-service`, those of groups in it included. */
function callsOf(group: string): ReadonlySet<string> {
  const listed = execFileSync('systemd-analyze', ['--no-pager', 'syscall-filter', group], { encoding: 'utf8' });
  const words = listed
    .split('\n')
    .slice(1)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  return new Set(words.flatMap((word) => (word.startsWith('@') ? [...callsOf(word)] : [word])));
}

/** The calls that `SystemCallFilter=` of the unit refuses: its first line permits, and the others remove. */
function refusedByUnit(): readonly string[] {
  const unit = readFileSync(join(import.meta.dirname, '../../deploy/veritee.service'), 'utf8');
  const lines = [...unit.matchAll(/^SystemCallFilter=(~?)(.*)$/gm)];
  const permitted = new Set<string>();
  for (const [, takesAway, groups = ''] of lines) {
    for (const call of groups.split(' ').flatMap((group) => [...callsOf(group)])) {
      if (takesAway === '~') permitted.delete(call);
      else permitted.add(call);
    }
  }
  return [...callsOf('@known')].filter((call) => !permitted.has(call));
}

describe.skipIf(isLacking('the filter of system calls of deploy/veritee.service', REQUIREMENTS))('the filter', () => {
  let folder: string;
  let body: string;
  let service: ServiceProcess | null = null;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'veritee-calls-'));
    const vm = await createVirtualMachine({ pki: createAmdPki() });
    const nonce = Buffer.alloc(32, 7);
    body = JSON.stringify({ evidence: vm.wireEvidence({ nonce }), nonce: nonce.toString('base64url') });
  });

  afterEach(() => service?.close());

  afterAll(() => rmSync(folder, { recursive: true }));

  /** The command of the unit, each of these system calls answered with EPERM: `SystemCallErrorNumber` says so. */
  function launch(refused: readonly string[]): Parameters<typeof ServiceProcess.start> {
    const calls = refused.map((call) => `?${call}`).join(',');
    const tracer = ['strace', '-D', '-f', '-qqq', '--seccomp-bpf', '-o', join(folder, 'trace')];
    const options = ['-e', `trace=${calls}`, '-e', `inject=${calls}:error=EPERM`];
    const main = join(inject('installation'), 'dist/main.js');
    const node = [process.execPath, '--disable-proto=delete', '--max-semi-space-size=64', main, 'serve'];
    const environment = {
      VERITEE__LISTEN__PORT: '0',
      VERITEE__AMD__KDS: 'off',
      VERITEE__INTEL__PCS: 'off',
      VERITEE__HISTORICAL: 'true',
    };
    return [[...tracer, ...options, ...node], { cwd: folder, environment }];
  }

  it('of the unit lets the service start, judge, store, reload and stop', async () => {
    const refused = refusedByUnit();
    expect(refused).toEqual(expect.arrayContaining(['mount', 'ptrace', 'bpf', 'setpriority', 'chown', 'reboot']));
    service = await ServiceProcess.start(...launch(refused));
    const client = new Client(service.url, 1);
    expect(await client.get('/readyz')).toMatchObject({ status: 200 });
    expect(await client.ask({ body })).toMatchObject({ status: 200, body: { reasons: ['cert_untrusted'] } });
    expect(await client.get('/decisions')).toMatchObject({ status: 200, body: { decisions: [{ decision: 'deny' }] } });
    client.close();
    service.signal('SIGHUP');
    await expect.poll(() => service?.logged('reloaded').length, { timeout: 60_000 }).toBe(1);
    service.signal('SIGTERM');
    expect(await service.end()).toEqual({ exitCode: 0, signal: null, stderr: '' });
  });

  it('twin: without a call that the service needs it does not start, so that the filter is in force here', async () => {
    service = ServiceProcess.launch(...launch([...refusedByUnit(), 'listen']));
    const { exitCode } = await service.end();
    expect(exitCode).toBe(1);
    expect(service.logged('listening')).toEqual([]);
  });
});

import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { TOOL_BOUNDS, toolRunner } from '../../../src/collector/tool-run.js';

let folder: string;

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'veritee-run-')));
  return () => rm(folder, { recursive: true });
});

const run = toolRunner({ PATH: '/usr/bin:/bin', SECRET: 'x', HOME: '/root' });
const shell = (script: string, runner = run) => runner('/bin/sh', ['-c', script], folder);
const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8');

describe('a program', () => {
  it('runs in its folder, and sees nothing of the environment but path, locale and TPM', async () => {
    const { exitCode, stdout, stderr } = await run('/usr/bin/env', [], folder);
    const seen = textOf(stdout).trim().split('\n').sort();
    expect(seen).toEqual(['LC_ALL=C', 'PATH=/usr/bin:/bin', 'TPM2TOOLS_TCTI=device:/dev/tpmrm0']);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(textOf((await shell('pwd')).stdout)).toBe(`${folder}\n`);
  });

  it('sees the TPM that the operator means', async () => {
    const { stdout } = await shell('echo $TPM2TOOLS_TCTI', toolRunner({ PATH: '/bin', TPM2TOOLS_TCTI: 'swtpm:' }));
    expect(textOf(stdout)).toBe('swtpm:\n');
  });

  it('gets its arguments as they are, without a shell', async () => {
    const { stdout } = await run('/usr/bin/printf', ['%s|', '$(id)', '; rm *', 'a b'], folder);
    expect(textOf(stdout)).toBe('$(id)|; rm *|a b|');
  });

  it('has nothing to read', async () => {
    expect(textOf((await shell('readlink /proc/self/fd/0')).stdout)).toBe('/dev/null\n');
  });

  it('may take 30 s and write 64 KiB, which is more than an NV index has', () => {
    expect(TOOL_BOUNDS).toEqual({ timeoutMs: 30_000, outputBytes: 64 * 1024 });
  });

  it.each(['', ' >&2'])('may write as much as the bound, and not one byte more%s', async (where) => {
    const bounded = toolRunner({ PATH: '/usr/bin:/bin' }, { timeoutMs: 30_000, outputBytes: 100 });
    const { stdout, stderr } = await shell(`head -c 100 /dev/zero${where}`, bounded);
    expect(stdout.length + stderr.length).toBe(100);
    await expect(shell(`head -c 101 /dev/zero${where}`, bounded)).rejects.toMatchObject({
      code: 'tool_failed',
      message: '/bin/sh wrote more than 100 bytes',
    });
  });

  it('leaves no timer behind that would keep the collector from ending', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      await shell('exit 0');
      await expect(run('no-such-tool', [], folder)).rejects.toMatchObject({ code: 'tools_missing' });
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('tells its exit code, or that a signal ended it, and what it complains of', async () => {
    expect(await shell('echo no >&2; exit 3')).toMatchObject({ exitCode: 3, stderr: 'no\n' });
    expect(await shell('kill -9 $$')).toMatchObject({ exitCode: null });
  });

  it('is killed with all that it started where it takes too long', async () => {
    const bounded = toolRunner({ PATH: '/usr/bin:/bin' }, { timeoutMs: 200, outputBytes: 100 });
    const began = Date.now();
    await expect(shell('sleep 60 & sleep 60', bounded)).rejects.toMatchObject({
      code: 'tool_failed',
      message: '/bin/sh took longer than 0.2 s',
    });
    expect(Date.now() - began).toBeLessThan(10_000);
  });

  it.each(['', ' >&2'])('is killed where it writes too much%s', async (where) => {
    const bounded = toolRunner({ PATH: '/usr/bin:/bin' }, { timeoutMs: 30_000, outputBytes: 100 });
    await expect(shell(`while :; do echo hello; done${where}`, bounded)).rejects.toMatchObject({
      code: 'tool_failed',
      message: '/bin/sh wrote more than 100 bytes',
    });
  });

  it('tools_missing where it is not there, permission where it may not be run', async () => {
    await expect(run('no-such-tool', [], folder)).rejects.toMatchObject({
      code: 'tools_missing',
      message: 'no-such-tool is not on the PATH',
    });
    await writeFile(join(folder, 'tool'), '#!/bin/sh\n', { mode: 0o600 });
    await expect(run(join(folder, 'tool'), [], folder)).rejects.toMatchObject({ code: 'permission' });
    await expect(run('/bin/sh', ['x'.repeat(3_000_000)], folder)).rejects.toMatchObject({ code: 'tool_failed' });
  });
});

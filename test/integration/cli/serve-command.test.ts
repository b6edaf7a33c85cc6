import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAmdPki, createVirtualMachine } from '../../lab/index.js';
import { call, post } from '../service/lab-service.js';
import { CommandLine } from './command-line.js';
import { runInProcess } from './command-line-in-process.js';

let cli: CommandLine;

beforeAll(async () => {
  cli = await CommandLine.create();
});

afterAll(() => cli.close());

const run = (args: readonly string[]) => runInProcess(cli, args);

/** Starts the service and waits for the line that says where. */
async function serve(configuration: object, name: string) {
  const file = await cli.write(name, JSON.stringify({ listen: { port: 0 }, amd: { kds: 'off' }, ...configuration }));
  return started(['serve', '--config', file]);
}

/** Starts it with these arguments. */
async function started(args: readonly string[]) {
  const child = cli.start(args);
  if (child.stdout === null || child.stderr === null) throw new Error('the service has no output');
  const stderr = text(child.stderr);
  const lines: string[] = [];
  const listening = new Promise<string>((resolve, reject) => {
    const reader = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    reader.on('line', (line) => {
      lines.push(line);
      const said = JSON.parse(line);
      if (said.msg === 'listening') resolve(said.url);
    });
    child.once('exit', () => reject(new Error('the service did not start')));
  });
  const ended = once(child, 'close');
  return { child, url: await listening, lines, stderr, ended };
}

it.runIf(process.platform === 'linux')('a start whose log has no space ends with 3, and says so', async () => {
  const file = await cli.write('full.yaml', JSON.stringify({ listen: { port: 0 }, amd: { kds: 'off' } }));
  const ended = await cli.runInto('/dev/full', ['serve', '--config', file]);
  expect(ended.exitCode).toBe(3);
  const why = 'standard output: cannot be written: no space is left\n';
  expect(ended.stderr).toBe(`log: ${why}${why}`);
});

describe('veritee serve', () => {
  it('says where it listens as JSON, answers, and ends with 0 on SIGTERM', async () => {
    const { child, url, lines, stderr, ended } = await serve({ log: { level: 'fatal' } }, 'quiet.yaml');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'info', msg: 'listening', url });
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect((await call(url, '/readyz')).status).toBe(200);
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    expect(await stderr).toBe('');
  });

  it('says on the same line where probes and metrics are, and that there alone', async () => {
    const { child, url, lines, ended } = await serve({ listen: { port: 0, management: { port: 0 } } }, 'apart.yaml');
    const said = lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'listening');
    expect(said).toEqual([expect.objectContaining({ url, management: expect.any(String) })]);
    expect(said[0].management).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect((await call(said[0].management, '/readyz')).status).toBe(200);
    expect((await call(url, '/readyz')).status).toBe(404);
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });

  it.each(['SIGTERM', 'SIGHUP'] as const)('loses no %s that comes while it starts', async (signal) => {
    const configuration = { listen: { port: 0 }, amd: { kds: 'off' }, intel: { pcs: 'off' } };
    const child = cli.start(['serve', '--config', await cli.write('early.yaml', JSON.stringify(configuration))]);
    const ended = once(child, 'close');
    const said: string[] = [];
    child.stdout?.on('data', () => {
      if (said.length === 0) child.kill(signal);
    });
    for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
      const { msg } = JSON.parse(line);
      said.push(msg);
      if (msg === 'reloaded') child.kill('SIGTERM');
    }
    expect(await ended).toEqual([0, null]);
    expect(said[0]).toBe('starting');
    if (signal === 'SIGHUP') expect(said.indexOf('reloaded')).toBeGreaterThan(said.indexOf('listening'));
    expect(said).toContain('stopping');
  });

  it.each([
    [false, 'info', 'no callers are configured: anyone on this machine may verify, and no one else'],
    [true, 'warn', 'no callers are configured, and listen.insecure is set: anyone who can connect may verify'],
  ])('says who is let in without callers, insecure: %s', async (insecure, level, msg) => {
    const { child, lines, ended } = await serve({ listen: { port: 0, insecure } }, 'open.yaml');
    child.kill('SIGTERM');
    await ended;
    expect(lines.map((line) => JSON.parse(line))).toContainEqual(expect.objectContaining({ level, msg }));
  });

  it('LOG-01 writes neither keys nor nonces nor evidence, at the finest level', async () => {
    const apiKey = 'key-that-must-not-be-logged';
    const apiKeySha256 = createHash('sha256').update(apiKey).digest('hex');
    const callers = { gate: { apiKeySha256, expires: '2099-01-01', roles: ['verify'] } };
    const { child, url, lines, stderr, ended } = await serve({ callers, log: { level: 'trace' } }, 'traced.yaml');
    const nonce = Buffer.alloc(32, 0x7b);
    const vm = await createVirtualMachine({ pki: createAmdPki() });
    const evidence = vm.wireEvidence({ nonce });
    const body = JSON.stringify({ evidence, nonce: nonce.toString('base64url') });
    const headers = { authorization: `Bearer ${apiKey}` };
    const answers = [
      await post(url, '/verify', body, headers),
      await post(url, '/verify', body, { 'x-api-key': `${apiKey}x` }),
      await post(url, '/verify', body.slice(1), headers),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 401, 400]);
    child.kill('SIGTERM');
    await ended;
    const written = lines.join('\n') + (await stderr);
    expect(lines.length).toBeGreaterThan(3);
    const secrets = [
      apiKey,
      apiKeySha256,
      nonce.toString('base64url'),
      nonce.toString('hex'),
      String(evidence['hclReport']).slice(100, 140),
      Buffer.from(String(evidence['hclReport']), 'base64url').subarray(64, 96).toString('hex'),
    ];
    expect(secrets.filter((secret) => written.includes(secret))).toEqual([]);
  });

  it('reads the policies again on SIGHUP, and keeps them where a new one is bad', async () => {
    await mkdir(cli.path('served'));
    const policy = { apiVersion: 'veritee/v1', id: 'added', version: 1, accepts: ['snp'], minimums: 'any' };
    const { child, url, lines, ended } = await serve({ policies: { directory: cli.path('served') } }, 'policies.yaml');
    const knows = async (id: string) => (await post(url, '/challenges', JSON.stringify({ policy: id }))).status;
    expect(await knows('added')).toBe(400);
    await cli.write('served/added.json', JSON.stringify(policy));
    await signalled(child, lines, 'policies reloaded');
    expect(await knows('added')).toBe(200);
    await cli.write('served/bad.json', '{');
    await signalled(child, lines, 'policies not reloaded: the previous ones stay in force');
    expect(await knows('added')).toBe(200);
    child.kill('SIGINT');
    expect(await ended).toEqual([0, null]);
  });

  it('says first what starts; on SIGHUP takes over the callers of the file, and names what needs a restart', async () => {
    const { child, url, lines, ended } = await serve({}, 'reloaded.yaml');
    const records = () => lines.map((line) => JSON.parse(line));
    expect(records()[0]).toMatchObject({ msg: 'starting', version: expect.any(String), policies: expect.any(Array) });
    expect((await call(url, '/metrics')).status).toBe(200);
    const apiKeySha256 = createHash('sha256').update('of-the-new-caller').digest('hex');
    const callers = { gate: { apiKeySha256, expires: '2099-01-01', roles: ['metrics'] } };
    const changed = { listen: { port: 0 }, amd: { kds: 'off' }, callers, limits: { bodyBytes: 2048 } };
    await cli.write('reloaded.yaml', JSON.stringify(changed));
    await signalled(child, lines, 'reloaded: some changed keys need a restart');
    expect(records().at(-1)).toMatchObject({
      changed: ['callers.gate'],
      needRestart: ['limits.bodyBytes', 'limits.eventLogBytes'],
    });
    expect((await call(url, '/metrics')).status).toBe(401);
    expect((await call(url, '/metrics', { headers: { 'x-api-key': 'of-the-new-caller' } })).status).toBe(200);
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });

  it('takes over the callers of the file once it has changed, without a signal', async () => {
    const { child, url, ended } = await serve({}, 'watched.yaml');
    expect((await call(url, '/metrics')).status).toBe(200);
    const apiKeySha256 = createHash('sha256').update('of-the-new-caller').digest('hex');
    const callers = { gate: { apiKeySha256, expires: '2099-01-01', roles: ['metrics'] } };
    await cli.write('watched.yaml', JSON.stringify({ listen: { port: 0 }, amd: { kds: 'off' }, callers }));
    await expect.poll(async () => (await call(url, '/metrics')).status, { timeout: 40_000 }).toBe(401);
    expect((await call(url, '/metrics', { headers: { 'x-api-key': 'of-the-new-caller' } })).status).toBe(200);
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });

  it.each<[string, object, string]>([
    [
      'an address for everybody without callers',
      { listen: { host: '0.0.0.0' } },
      'listen.host: not a loopback address',
    ],
    [
      'a caller by certificate and no CA of clients',
      { callers: { ci: { mtls: { dns: 'a.example' }, roles: ['verify'] } } },
      'callers.ci.mtls: needs listen.tls.clientCa',
    ],
    [
      'a caller of a tenant that is not there',
      { callers: { ci: { apiKeySha256: 'ab'.repeat(32), expires: '2099-01-01', roles: ['verify'], tenant: 'red' } } },
      'callers.ci.tenant: there is no tenant red in tenants',
    ],
    [
      'a database that replicas share and no key that they share',
      { stores: { url: 'postgres://veritee@127.0.0.1/veritee' } },
      'challenges.key: is missing',
    ],
  ])('does not start with %s, and says why', async (_title, configuration, message) => {
    const { exitCode, stdout, stderr } = await run(await serving(configuration));
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toContain(message);
  });

  it.each<[string, object, string]>([
    ['an unknown key', { listen: { prot: 1 } }, 'listen.prot: unknown key'],
    [
      'a certificate that is none',
      { listen: { port: 0, tls: { cert: 'wrong.yaml', key: 'wrong.yaml' } } },
      'has no block that begins with -----BEGIN CERTIFICATE-----',
    ],
    ['a policy directory that is not there', { policies: { directory: './nowhere' } }, './nowhere does not exist'],
  ])('ends its process with %s, and says why', async (_title, configuration, message) => {
    const { exitCode, stdout, stderr } = await cli.run(await serving(configuration));
    expect(exitCode).toBe(1);
    expect(stderr).toContain(message);
    expect(stdout).not.toContain('listening');
  });

  /** A start with a configuration that is refused. */
  async function serving(configuration: object): Promise<readonly string[]> {
    const text = JSON.stringify({ listen: { port: 0 }, ...configuration });
    return ['serve', '--config', await cli.write('wrong.yaml', text)];
  }
});

describe('veritee serve on a port that is taken', () => {
  it('does not start where it is that of the management listener, and names its keys', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const listen = { port: 0, management: { port } };
    const file = await cli.write('taken-apart.yaml', JSON.stringify({ listen, amd: { kds: 'off' } }));
    const { exitCode, stdout, stderr } = await cli.run(['serve', '--config', file]);
    other.close();
    expect(exitCode).toBe(1);
    expect(stderr).toBe(
      `listen.management.port: port ${port} of 127.0.0.1 is in use; stop the process that uses it, or choose another port (VERITEE__LISTEN__MANAGEMENT__PORT; 0 picks a free one)\n`,
    );
    expect(stdout).not.toContain('listening');
  });

  it('does not start, and says why with 1', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const file = await cli.write('taken.yaml', JSON.stringify({ listen: { port }, amd: { kds: 'off' } }));
    const { exitCode, stdout, stderr } = await cli.run(['serve', '--config', file]);
    other.close();
    expect(exitCode).toBe(1);
    expect(stderr).toBe(
      `listen.port: port ${port} of 127.0.0.1 is in use; stop the process that uses it, or choose another port (VERITEE__LISTEN__PORT; 0 picks a free one)\n`,
    );
    expect(stdout).not.toContain('listening');
  });
});

/** Sends SIGHUP, and waits until the service says what it has done. */
async function signalled(child: { kill(signal: 'SIGHUP'): boolean }, lines: readonly string[], message: string) {
  const before = lines.length;
  child.kill('SIGHUP');
  await expect
    .poll(() => lines.slice(before).some((line) => JSON.parse(line).msg === message), { timeout: 60_000 })
    .toBe(true);
}

describe('veritee config', () => {
  it('prints what is in force, with secrets masked, and the environment before the file', async () => {
    const apiKeySha256 = 'ab'.repeat(32);
    const callers = { gate: { apiKeySha256, expires: '2099-01-01', roles: ['verify'] } };
    const file = await cli.write(
      'config.yaml',
      JSON.stringify({ callers, deadlineSeconds: 3, listen: { port: 1234 } }),
    );
    const { exitCode, stdout, stderr } = await cli.run(['config', '--config', file], '', {
      VERITEE__LISTEN__PORT: '4321',
    });
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).not.toContain(apiKeySha256);
    expect(JSON.parse(stdout)).toMatchObject({
      deadlineSeconds: 3,
      listen: { host: '127.0.0.1', port: 4321 },
      callers: { gate: { apiKeySha256: '***', tenant: 'default', roles: ['verify'] } },
    });
  });

  it('refuses what it cannot read with 1, naming the key and no value', async () => {
    const file = await cli.write(
      'wrong.yaml',
      JSON.stringify({ callers: { gate: { apiKeySha256: 'secret-as-it-is' } } }),
    );
    const { exitCode, stdout, stderr } = await cli.run(['config', '--config', file]);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toContain(`${file} line 1: callers.gate.apiKeySha256: must be 32 bytes in hex\n`);
    expect(stderr).not.toContain('secret-as-it-is');
    const missing = await run(['config', '--config', cli.path('nothing.yaml')]);
    expect(missing.exitCode).toBe(1);
    expect(missing.stderr).toBe(`configuration file ${cli.path('nothing.yaml')}: there is no such file\n`);
  });
});

import { spawnSync } from 'node:child_process';
import { chownSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { loadConfiguration } from '../../src/config/load-configuration.js';
import { readProjectFile } from '../architecture/project-files.js';
import { createAmdPki, createVirtualMachine } from '../lab/index.js';
import { isLacking } from '../requirements.js';
import { Client } from './client.js';
import { Image } from './image.js';
import { ServiceProcess } from './service-process.js';

const CHANGE_ROOT =
  'mount --bind /proc /proc && exec setpriv --no-new-privs unshare --root=/ --wd=/ --setgid 65532 --setuid 65532 true';

const REQUIREMENTS = [
  {
    what: 'mount namespaces and other users (unshare, setpriv, ldd, and root)',
    command: ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', `ldd --version && ${CHANGE_ROOT}`],
  },
] as const;

/** The Docker section of docs/deployment.md: the file, its mount, the arguments after the image, and the port inside. */
function dockerSection() {
  const page = readProjectFile('docs/deployment.md');
  const section = page.slice(page.indexOf('## Docker'), page.indexOf('## Helm'));
  const [, file = ''] = /^```yaml\n([\s\S]*?)^```$/m.exec(section) ?? [];
  const [, path = ''] = /veritee\.yaml",dst=(\S+),readonly/.exec(section) ?? [];
  const [, published, args = ''] = /--publish 127\.0\.0\.1:\d+:(\d+) veritee (.+)$/m.exec(section) ?? [];
  // docs/hardening.md sends signals to a container of that name.
  expect(section).toContain('docker run --name veritee ');
  return { file, path, args: args.split(' '), published: Number(published) };
}

describe.skipIf(isLacking('a read-only root', REQUIREMENTS))('the image of the Dockerfile, its root read-only', () => {
  const ON_LOOPBACK = { VERITEE__LISTEN__PORT: '0', VERITEE__AMD__KDS: 'off' };
  let image: Image;
  let body: string;
  let folder: string;
  let service: ServiceProcess | null = null;

  beforeAll(async () => {
    image = new Image(inject('installation'));
    const vm = await createVirtualMachine({ pki: createAmdPki() });
    const nonce = Buffer.alloc(32, 7);
    body = JSON.stringify({ evidence: vm.wireEvidence({ nonce }), nonce: nonce.toString('base64url') });
    folder = mkdtempSync(join(tmpdir(), 'veritee-state-'));
    // The packages of the service are copied.
  }, 240_000);

  afterEach(() => service?.close());

  afterAll(() => {
    image.remove();
    rmSync(folder, { recursive: true });
  });

  function launch(state: string | null, environment: Readonly<Record<string, string>>) {
    return [image.command(state), { cwd: '/', environment: { ...image.environment, ...environment } }] as const;
  }

  /** An empty volume, as a container gets it: with the owner and mode of the image's folder. */
  function emptyVolume(): string {
    const volume = mkdtempSync(join(folder, 'volume-'));
    chownSync(volume, image.user, image.user);
    return volume;
  }

  /** Judges evidence and issues a challenge: all that writes, or would like to. */
  async function expectToServe({ url }: ServiceProcess): Promise<void> {
    const client = new Client(url, 1);
    expect(await client.get('/readyz')).toMatchObject({ status: 200, body: { ready: true, problems: [] } });
    expect(await client.post('/challenges', '{}')).toMatchObject({ status: 200 });
    // The roots of the image are AMD's, and the lab's own are strangers to it.
    expect(await client.ask({ body })).toMatchObject({
      status: 200,
      body: { decision: 'deny', reasons: ['cert_untrusted'] },
    });
    client.close();
    for (const path of ['/', '/docs']) {
      expect([path, (await fetch(url + path)).status]).toEqual([path, 200]);
    }
  }

  it('has the service, its runtime and the libraries of both, and no shell, package manager, compiler or test', () => {
    const files = readdirSync(image.root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    const outside = files
      .map((path) => path.slice(image.root.length))
      .filter((path) => !path.startsWith('/opt/veritee/'));
    const known = [
      /^\/etc\/(passwd|group|nsswitch\.conf)$/,
      /\/lib[a-z_+]+(-[\d.]+)?\.so(\.\d+)*$/,
      /\/ld-linux-[a-z0-9-]+\.so\.\d$/,
    ];
    expect(outside.filter((path) => path !== process.execPath && !known.some((pattern) => pattern.test(path)))).toEqual(
      [],
    );
    expect(readdirSync(join(image.root, 'opt/veritee')).toSorted()).toEqual([
      'LICENSE',
      'dist',
      'examples',
      'node_modules',
      'openapi.yaml',
      'package.json',
    ]);
    for (const name of ['typescript', 'vitest', 'tsx', 'npm', '@types'])
      expect(readdirSync(join(image.root, 'opt/veritee/node_modules'))).not.toContain(name);
    expect(files.filter((path) => (statSync(path).mode & 0o6000) !== 0)).toEqual([]);
  });

  it('is healthy while it answers, and not when nothing does', async () => {
    service = await ServiceProcess.start(...launch(emptyVolume(), ON_LOOPBACK));
    const check = (environment: Readonly<Record<string, string>>) => {
      const [program = '', ...args] = image.healthcheck;
      return spawnSync(program, args, { env: { PATH: process.env['PATH'], ...environment }, encoding: 'utf8' }).status;
    };
    const port = String(service.port);
    expect(check({ VERITEE__LISTEN__PORT: port })).toBe(0);
    expect(check({ VERITEE__LISTEN__PORT: '1', VERITEE__LISTEN__MANAGEMENT__PORT: port })).toBe(0);
    expect(check({ VERITEE__LISTEN__PORT: '1' })).toBe(1);
  });

  it('serves as nobody, without a capability, and writes only where its volume is', async () => {
    const volume = emptyVolume();
    service = await ServiceProcess.start(...launch(volume, ON_LOOPBACK));
    await expectToServe(service);
    const status = readFileSync(`/proc/${service.pid}/status`, 'utf8');
    expect(status).toMatch(new RegExp(`^Uid:(\\t${image.user}){4}$`, 'm'));
    expect(status).toMatch(new RegExp(`^Gid:(\\t${image.user}){4}$`, 'm'));
    expect(status).toMatch(/^Groups:\s*$/m);
    expect(status).toMatch(/^CapEff:\t0+$/m);
    expect(status).toMatch(/^CapPrm:\t0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    // Not even root could write where the service lives.
    const place = join(`/proc/${service.pid}/root`, 'opt/veritee/dist/written');
    expect(() => writeFileSync(place, '')).toThrow(/EROFS/);
    expect(readdirSync(volume, { recursive: true })).toContain('data/challenges.key');
    service.signal('SIGTERM');
    expect(await service.end()).toEqual({ exitCode: 0, signal: null, stderr: '' });
  });

  it('serves and is healthy with the file and the command of docs/deployment.md', async () => {
    const { file, path, args, published } = dockerSection();
    const { listen } = loadConfiguration({ text: file, environment: {} });
    // The port of the file is what is published, and what the check of health asks where no variable names another.
    expect([listen.host, listen.port, published]).toEqual(['0.0.0.0', 8080, 8080]);
    expect(image.healthcheck.join(' ')).toContain(`VERITEE__LISTEN__PORT ?? ${listen.port}}`);
    writeFileSync(join(image.root, path), file, { mode: 0o644 });
    const environment = { ...image.environment, ...ON_LOOPBACK };
    service = await ServiceProcess.start(image.command(emptyVolume(), args), { cwd: '/', environment });
    const client = new Client(`http://127.0.0.1:${service.port}`, 1);
    expect(await client.get('/readyz')).toMatchObject({ status: 200, body: { ready: true, problems: [] } });
    expect(await client.post('/challenges', '{}')).toMatchObject({ status: 401 });
    client.close();
    expect(service.url).toContain('0.0.0.0');
    service.signal('SIGTERM');
    expect(await service.end()).toEqual({ exitCode: 0, signal: null, stderr: '' });
  });

  it('does not start with nothing to write to, since challenges are stored also where decisions are not, and says why', async () => {
    const key = join(image.root, 'etc/veritee/challenges.key');
    writeFileSync(key, Buffer.alloc(32, 7), { mode: 0o400 });
    chownSync(key, image.user, image.user);
    const environment = {
      ...ON_LOOPBACK,
      VERITEE__CHALLENGES__KEY: '/etc/veritee/challenges.key',
      VERITEE__DECISIONS__LOG: 'off',
    };
    service = ServiceProcess.launch(...launch(null, environment));
    const { exitCode, stderr } = await service.end();
    expect(exitCode).toBe(1);
    expect(stderr).toContain('stores.url');
    expect(service.logged('listening')).toEqual([]);
  });

  it('does not start where it can neither read nor keep that key, and says why', async () => {
    service = ServiceProcess.launch(...launch(null, ON_LOOPBACK));
    const { exitCode, stderr } = await service.end();
    expect(exitCode).toBe(1);
    expect(stderr).toContain('challenges.key');
    expect(service.logged('listening')).toEqual([]);
  });
});

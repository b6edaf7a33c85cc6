import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** The packages as `npm run packages` makes them, each in a folder of its own beside what it depends on. */

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
const PACK_MS = 240_000;

type Json = Record<string, never>;

let root = '';
let project: { readonly version: string; readonly engines: object; readonly dependencies: object };

const readJson = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
const inProject = (path: string) => join(PROJECT, path);
const packed = (name: string) => join(root, 'packages', name);
const filesIn = (name: string) =>
  execFileSync('tar', ['tzf', packed(name)], { encoding: 'utf8' })
    .trim()
    .split('\n');

const isOfPages = (path: string) => path.startsWith('package/dist/inspector/');

/** Unpacks a package where Node finds it, and links what the project has installed beside it. No network is asked. */
function installed(name: string, version: string): string {
  const folder = join(root, `with-${name}`);
  const own = join(folder, 'node_modules', name);
  mkdirSync(own, { recursive: true });
  execFileSync('tar', ['xzf', packed(`${name}-${version}.tgz`), '--strip-components=1', '-C', own]);
  for (const each of readdirSync(inProject('node_modules'))) {
    if (!each.startsWith('.') && each !== name)
      symlinkSync(join(inProject('node_modules'), each), join(folder, 'node_modules', each));
  }
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  return folder;
}

const USAGE = 'pack: --out FOLDER names an empty folder, or one that is not there yet';

const packing = (...options: readonly string[]) =>
  spawnSync(process.execPath, ['--import', 'tsx', 'scripts/pack.ts', ...options], { cwd: PROJECT, encoding: 'utf8' });

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'veritee-packages-'));
  project = readJson(inProject('package.json'));
  const env = { ...process.env, npm_config_offline: 'true' };
  execFileSync('npm', ['run', '--silent', 'packages', '--', '--out', join(root, 'packages')], {
    cwd: PROJECT,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}, PACK_MS);

afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('the packages', () => {
  it('are put into no folder that has something else, which stays', () => {
    const folder = join(root, 'somebody');
    mkdirSync(folder);
    writeFileSync(join(folder, 'kept'), '');
    const { status, stderr } = packing('--out', folder);
    expect([status, stderr, readdirSync(folder)]).toEqual([1, `pack: ${folder} is not empty\n${USAGE}\n`, ['kept']]);
  });

  it.each([
    ['an option that there is not', ['--help'], /^pack: Unknown option '--help'/],
    ['an argument', ['extra'], /^pack: Unexpected argument 'extra'/],
    ['a file as the folder', ['--out', inProject('package.json')], /^pack: EEXIST: file already exists/],
  ])('are not made with %s, which is said without a stack', (_, options, message) => {
    const { status, stderr } = packing(...options);
    expect([status, stderr.split('\n').slice(1)]).toEqual([1, [USAGE, '']]);
    expect(stderr).toMatch(message);
  });

  it('are two, each with its bill of materials, and the inspector as one file, under their digests', () => {
    const { version } = project;
    const names = ['veritee', 'veritee-client'].flatMap((name) => [
      `${name}-${version}.cdx.json`,
      `${name}-${version}.tgz`,
    ]);
    names.push(`veritee-inspector-${version}.html`);
    expect(readdirSync(join(root, 'packages')).sort()).toEqual(['SHA256SUMS', ...names.sort()]);
    const sums = readFileSync(packed('SHA256SUMS'), 'utf8').trim().split('\n');
    expect(sums.map((line) => line.split('  ')[1]).sort()).toEqual(names);
    for (const line of sums) {
      const [digest, name = ''] = line.split('  ');
      expect(
        createHash('sha256')
          .update(readFileSync(packed(name)))
          .digest('hex'),
      ).toBe(digest);
    }
  });

  it('of veritee holds what was built, and no test', () => {
    const files = filesIn(`veritee-${project.version}.tgz`);
    expect(files.filter((path) => !path.startsWith('package/dist/')).sort()).toEqual([
      'package/CHANGELOG.md',
      'package/LICENSE',
      'package/README.md',
      'package/deploy/guest/collect.sh',
      'package/npm-shrinkwrap.json',
      'package/openapi.yaml',
      'package/package.json',
    ]);
    const built = files.filter((path) => path.startsWith('package/dist/'));
    const [pages, service] = [built.filter(isOfPages), built.filter((path) => !isOfPages(path))];
    expect(service.filter((path) => !/\.js$|^package\/dist\/types\/.*\.d\.ts$/.test(path))).toEqual([]);
    for (const built of ['main', 'library/verifier', 'library/policy', 'library/lab'])
      expect(service).toContain(`package/dist/${built}.js`);
    for (const page of ['index', 'docs']) expect(pages).toContain(`package/dist/inspector/${page}.html`);
  });

  it('of veritee serves the inspector that is published', () => {
    const { version } = project;
    const member = 'package/dist/inspector/veritee-inspector.html';
    const served = execFileSync('tar', ['xzOf', packed(`veritee-${version}.tgz`), member], { maxBuffer: 2 ** 26 });
    expect(served.equals(readFileSync(packed(`veritee-inspector-${version}.html`)))).toBe(true);
  });

  it('are compared by the command of docs/inspector.md, which finds a file that was changed', () => {
    const [, command = ''] =
      /```sh\n(sha256sum --check[^\n]*)\n```/.exec(readFileSync(inProject('docs/inspector.md'), 'utf8')) ?? [];
    const folder = join(root, 'downloaded');
    mkdirSync(folder);
    const file = `veritee-inspector-${project.version}.html`;
    const page = readFileSync(packed(file));
    writeFileSync(join(folder, 'SHA256SUMS'), readFileSync(packed('SHA256SUMS')));
    const compare = (content: Buffer) => {
      writeFileSync(join(folder, file), content);
      const { status, stdout } = spawnSync('sh', ['-c', command], { cwd: folder, encoding: 'utf8' });
      return [status, stdout];
    };
    expect(compare(page)).toEqual([0, `${file}: OK\n`]);
    expect(compare(Buffer.concat([page, Buffer.from('\n')]))).toEqual([1, `${file}: FAILED\n`]);
  });

  it('of veritee brings the versions that were tested, and the bill lists the same', () => {
    const folder = installed('veritee', project.version);
    const { packages } = readJson(join(folder, 'node_modules/veritee/npm-shrinkwrap.json'));
    const lock = readJson(inProject('package-lock.json')).packages;
    const { '': own, ...others } = packages as Record<string, Json>;
    expect(own).toMatchObject({ name: 'veritee', version: project.version, dependencies: project.dependencies });
    for (const [path, { version, integrity }] of Object.entries(others)) {
      expect([path, version, integrity]).toEqual([path, lock[path].version, lock[path].integrity]);
    }
    // Packages for production, and none of those that only tests need.
    const production = Object.entries(lock as Record<string, { dev?: boolean }>).filter(
      ([path, { dev }]) => path !== '' && dev !== true,
    );
    expect(Object.keys(others).sort()).toEqual(production.map(([path]) => path).sort());
    const { components } = readJson(packed(`veritee-${project.version}.cdx.json`));
    const listed = new Set(components.map(({ name, version }: Json) => `${name}@${version}`));
    const optional = (path: string) => lock[path].optional === true;
    const named = (path: string) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    for (const [path, { version }] of Object.entries(others)) {
      if (!optional(path)) expect(listed).toContain(`${named(path)}@${version}`);
    }
  });

  it('of veritee gives the command veritee, by npx too', () => {
    const folder = join(root, 'with-veritee');
    const program = join(folder, 'node_modules/veritee/dist/main.js');
    expect(statSync(program).mode & 0o111).toBe(0o111);
    mkdirSync(join(folder, 'node_modules/.bin'));
    symlinkSync('../veritee/dist/main.js', join(folder, 'node_modules/.bin/veritee'));
    const run = (...args: readonly string[]) => {
      const { status, stdout } = spawnSync('npx', ['--no-install', 'veritee', ...args], {
        cwd: folder,
        encoding: 'utf8',
      });
      return { status, stdout };
    };
    expect(run('--version')).toEqual({ status: 0, stdout: `${project.version}\n` });
    const { status, stdout } = run('verify', '--json', inProject('examples/verify-request.json'));
    expect([status, JSON.parse(stdout).decision]).toEqual([2, 'deny']);
  });

  it.each(['veritee', 'veritee-client'])('%s says for which Node it is, and under which licence', (name) => {
    const manifest = JSON.parse(
      execFileSync('tar', ['xzOf', packed(`${name}-${project.version}.tgz`), 'package/package.json'], {
        encoding: 'utf8',
      }),
    );
    expect(manifest).toMatchObject({
      name,
      version: project.version,
      license: 'Apache-2.0',
      type: 'module',
      engines: project.engines,
    });
    expect(manifest).not.toHaveProperty('scripts');
    expect(manifest).not.toHaveProperty('devDependencies');
    expect(manifest).not.toHaveProperty('private');
  });
});

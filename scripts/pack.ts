import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { buildPages } from './pages/build.js';
import { SINGLE } from './pages/bundle.js';

/**
 * Makes the packages of the project: compiles, puts together what each holds, checks that, and packs it, with a bill of materials
 * (SBOM), the inspector as one file and digests beside. `npm pack` makes the first one alone, without its lockfile.
 */

const PROJECT = fileURLToPath(new URL('../', import.meta.url));
const inProject = (...path: readonly string[]) => join(PROJECT, ...path);

interface Dependencies {
  readonly [name: string]: string;
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly type: string;
  readonly engines: { readonly node: string };
  readonly bin?: Dependencies;
  readonly dependencies: Dependencies;
  readonly [member: string]: unknown;
}

interface LockedPackage {
  readonly dev?: boolean;
  readonly dependencies?: Dependencies;
  readonly optionalDependencies?: Dependencies;
  readonly [member: string]: unknown;
}

interface Lock {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

/** The parts of one of the packages. */
interface Package {
  readonly manifest: Manifest;
  /** Compiles into the folder `dist` of the package. */
  readonly compile: (dist: string) => void | Promise<void>;
  /** Files of the project, by their names in the package. */
  readonly files: Dependencies;
  /**
   * Whether it brings the lockfile that it was tested with (npm-shrinkwrap.json), for `npm ci` in the unpacked package. The
   * client does not: its users would have some packages twice.
   */
  readonly fixesDependencies: boolean;
}

const root: Manifest = readJson('package.json');
const lock: Lock = readJson('package-lock.json');

const OF_ALL = { version: root.version, license: root.license, type: root.type, engines: root.engines } as const;

const VERITEE: Package = {
  manifest: {
    name: root.name,
    description: root['description'],
    ...OF_ALL,
    bin: { veritee: 'dist/main.js' },
    exports: root['exports'],
    dependencies: root.dependencies,
  },
  compile: async (dist) => {
    compile('tsconfig.build.json', dist, '--sourceMap', 'false');
    chmodSync(join(dist, 'main.js'), 0o755);
    run(PROJECT, process.execPath, inProject('scripts/build-library.mjs'), dist);
    await buildPages(join(dist, 'inspector'));
  },
  files: {
    'README.md': 'README.md',
    LICENSE: 'LICENSE',
    'CHANGELOG.md': 'CHANGELOG.md',
    'openapi.yaml': 'openapi.yaml',
    'deploy/guest/collect.sh': 'deploy/guest/collect.sh',
  },
  fixesDependencies: true,
};

const CLIENT: Package = {
  manifest: { ...(readJson('clients/typescript/package.json') as Manifest), ...OF_ALL },
  compile: (dist) => compile('clients/typescript/tsconfig.json', dist),
  files: { 'README.md': 'clients/typescript/README.md', LICENSE: 'LICENSE' },
  fixesDependencies: false,
};

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(inProject(path), 'utf8'));
}

function compile(configuration: string, dist: string, ...options: readonly string[]): void {
  run(
    PROJECT,
    process.execPath,
    inProject('node_modules/typescript-7/bin/tsc'),
    '-p',
    configuration,
    '--outDir',
    dist,
    ...options,
  );
}

function run(cwd: string, program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 2 ** 26,
  });
}

/** The part of the lockfile with which these dependencies are installed, as a lockfile of the package. */
function lockOf({ name, version, license, engines, bin, dependencies }: Manifest): object {
  const packages = new Map<string, LockedPackage>();
  const add = (path: string, parent: string): void => {
    const found = placeOf(path, parent);
    if (found === null || packages.has(found)) return;
    const locked = lock.packages[found] as LockedPackage;
    const { dev: _, ...installed } = locked;
    packages.set(found, installed);
    for (const each of Object.keys({ ...locked.dependencies, ...locked.optionalDependencies })) add(each, found);
  };
  for (const each of Object.keys(dependencies)) add(each, '');
  const own = { name, version, license, dependencies, engines, ...(bin === undefined ? {} : { bin }) };
  const sorted = [...packages].sort(([a], [b]) => (a < b ? -1 : 1));
  return { name, version, lockfileVersion: 3, requires: true, packages: { '': own, ...Object.fromEntries(sorted) } };
}

/** Where a dependency of a package is installed: as Node looks for it. Null: it is optional, and for another platform. */
function placeOf(name: string, parent: string): string | null {
  const own = `${parent === '' ? '' : `${parent}/`}node_modules/${name}`;
  if (lock.packages[own] !== undefined) return own;
  return parent === '' ? null : placeOf(name, parent.replace(/(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/]+$/, ''));
}

/** Puts a package together in a folder. */
async function stage(packed: Package, folder: string): Promise<void> {
  const { manifest, compile: compileInto, files, fixesDependencies } = packed;
  mkdirSync(folder);
  await compileInto(join(folder, 'dist'));
  for (const [name, source] of Object.entries(files)) cpSync(inProject(source), join(folder, name));
  const { files: _, ...members } = manifest;
  const listed = ['dist', ...Object.keys(files), ...(fixesDependencies ? ['npm-shrinkwrap.json'] : [])];
  writeJson(join(folder, 'package.json'), { ...members, files: listed });
  if (fixesDependencies) writeJson(join(folder, 'npm-shrinkwrap.json'), lockOf(manifest));
}

function writeJson(path: string, value: object): void {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** @throws {Error} if exports, types or engines of a package are wrong for its users */
async function check({ manifest }: Package, folder: string, tarball: string): Promise<void> {
  const { messages, pkg } = await publint({ pkgDir: folder, strict: true });
  if (messages.length > 0) {
    const told = messages.map((message) => formatMessage(message, pkg, { color: false }));
    throw new Error(`${manifest.name}: ${told.join('; ')}`);
  }
  const checker = inProject('node_modules/@arethetypeswrong/cli/dist/index.js');
  run(PROJECT, process.execPath, checker, tarball, '--profile', 'esm-only');
}

/** The installed dependencies of the package, in the form of CycloneDX. The name of the folder is the name in it. */
function billOfMaterials({ manifest, fixesDependencies }: Package, folder: string): string {
  mkdirSync(folder, { recursive: true });
  writeJson(join(folder, 'package.json'), { ...manifest, files: [] });
  writeJson(join(folder, 'package-lock.json'), lockOf(manifest));
  const type = fixesDependencies ? 'application' : 'library';
  return run(folder, 'npm', 'sbom', '--package-lock-only', '--sbom-format', 'cyclonedx', '--sbom-type', type);
}

async function pack(packed: Package, scratch: string, out: string): Promise<readonly string[]> {
  const { name, version } = packed.manifest;
  const folder = join(scratch, name);
  await stage(packed, folder);
  const tarball = `${name}-${version}.tgz`;
  run(folder, 'npm', 'pack', '--ignore-scripts', '--pack-destination', out);
  await check(packed, folder, join(out, tarball));
  const bill = `${name}-${version}.cdx.json`;
  writeFileSync(join(out, bill), billOfMaterials(packed, join(scratch, 'bills', name)));
  return [tarball, bill];
}

/** The inspector as one file, out of the package that was put together: a user who distrusts a service compares its file with this one. */
function publishInspector(scratch: string, out: string): string {
  const published = `veritee-inspector-${root.version}.html`;
  cpSync(join(scratch, VERITEE.manifest.name, 'dist/inspector', SINGLE), join(out, published));
  return published;
}

/** @returns an empty folder: `packages` of the project, or the one that is named, which nothing is deleted in */
function emptyFolder(named: string | undefined): string {
  const folder = named === undefined ? inProject('packages') : resolve(named);
  if (named === undefined) rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  if (readdirSync(folder).length > 0) throw new Error(`${folder} is not empty`);
  return folder;
}

const USAGE = 'pack: --out FOLDER names an empty folder, or one that is not there yet';

/** The folder for the packages. Ends the process if it cannot hold them. */
function outFolder(): string {
  try {
    return emptyFolder(parseArgs({ options: { out: { type: 'string' } } }).values.out);
  } catch (error) {
    process.stderr.write(`pack: ${error instanceof Error ? error.message : error}\n${USAGE}\n`);
    process.exit(1);
  }
}

const out = outFolder();
const scratch = mkdtempSync(join(tmpdir(), 'veritee-pack-'));
try {
  const made: string[] = [];
  for (const each of [VERITEE, CLIENT]) made.push(...(await pack(each, scratch, out)));
  made.push(publishInspector(scratch, out));
  const digests = made.map(
    (name) =>
      `${createHash('sha256')
        .update(readFileSync(join(out, name)))
        .digest('hex')}  ${name}\n`,
  );
  writeFileSync(join(out, 'SHA256SUMS'), digests.join(''));
  process.stdout.write(digests.join(''));
} finally {
  rmSync(scratch, { recursive: true });
}

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
const SOURCE = join(PROJECT, 'clients/typescript');

/** The package `veritee-client`, compiled and packed as it is published, and installed by itself in an empty folder. */
export class InstalledClient {
  /** The folder: its `node_modules` holds the package and what that depends on, and nothing else. */
  readonly folder: string;
  /** The files in the package. */
  readonly files: readonly string[];

  private constructor(folder: string, files: readonly string[]) {
    this.folder = folder;
    this.files = files;
  }

  /** Compiles, packs and installs. The network is not asked: the dependency is packed from that of the project. */
  static create(): InstalledClient {
    const root = mkdtempSync(join(tmpdir(), 'veritee-client-'));
    const [source, folder] = [join(root, 'package'), join(root, 'empty')];
    for (const path of [source, folder]) mkdirSync(path);
    for (const name of ['package.json', 'README.md', 'LICENSE']) cpSync(join(SOURCE, name), join(source, name));
    const compiler = join(PROJECT, 'node_modules/typescript-7/bin/tsc');
    run(PROJECT, process.execPath, compiler, '-p', join(SOURCE, 'tsconfig.json'), '--outDir', join(source, 'dist'));
    const client = pack(source, root);
    const jose = pack(join(PROJECT, 'node_modules/jose'), root);
    writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
    const cache = ['--offline', '--cache', join(root, 'cache'), '--no-audit', '--no-fund'];
    run(folder, 'npm', 'install', ...cache, join(root, client.filename), join(root, jose.filename));
    return new InstalledClient(
      folder,
      client.files.map(({ path }) => path),
    );
  }

  /** The pieces of code in the package's README. */
  examples(): readonly string[] {
    const text = readFileSync(join(this.folder, 'node_modules/veritee-client/README.md'), 'utf8');
    return [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code);
  }

  /** Runs a module in the folder, and gives what it prints. */
  run(code: string): string {
    return run(this.folder, process.execPath, '--input-type=module', '--eval', code);
  }

  remove(): void {
    rmSync(join(this.folder, '..'), { recursive: true });
  }
}

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

function pack(source: string, destination: string): Packed {
  const [packed] = JSON.parse(run(source, 'npm', 'pack', '--json', '--pack-destination', destination));
  return packed;
}

function run(cwd: string, program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROJECT } from './project-files.js';

const SRC = join(PROJECT, 'src');
/** The imports that remain at run time: not those of types alone, and not those inside of a function. */
const STATIC_IMPORT = /^(?:import|export) (?!type )(?:[^';]*? from )?'([^']+)';/gm;

/** Files of src, and packages, that a file of src loads before its first line runs. */
function loadedBy(entry: string): { readonly files: readonly string[]; readonly packages: ReadonlySet<string> } {
  const files = [join(SRC, entry)];
  const packages = new Set<string>();
  for (const file of files) {
    for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(STATIC_IMPORT)) {
      const target = join(dirname(file), name.replace(/\.js$/, '.ts'));
      if (!name.startsWith('.')) packages.add(name);
      else if (!files.includes(target)) files.push(target);
    }
  }
  return {
    files: files.map((file) => relative(SRC, file)),
    packages: new Set([...packages].filter((name) => !name.startsWith('node:'))),
  };
}

/** Libraries that take long to load. Each is for settings, or commands, that not everybody has. */
const SETTINGS = ['@azure/identity', '@azure/keyvault-keys', '@opentelemetry/', 'pg', 'libsql', 'cli-progress'];
const NETWORK = [...SETTINGS, 'undici', 'cockatiel', 'fastify', '@fastify/', 'prom-client'];

describe('what is loaded', () => {
  it('for --version and --help is the definition of the commands, and the library that reads them', () => {
    const { files, packages } = loadedBy('app/commands/command-line.ts');
    expect([...packages]).toEqual(['commander']);
    expect(files.length).toBeLessThanOrEqual(25);
    expect(loadedBy('main.ts').files).toEqual(['main.ts', 'app/reload/stop-signals.ts']);
  });

  it.each<[string, string, readonly string[]]>([
    [
      'inspect, and verify before it reads the file',
      'app/commands/evidence-commands.ts',
      [...NETWORK, 'jose', 'tsyringe'],
    ],
    ['request and collect', 'app/commands/guest-commands.ts', [...SETTINGS, 'cockatiel', 'fastify', 'jose', 'yaml']],
    ['policy lint', 'app/commands/policy-commands.ts', [...NETWORK, 'jose', 'tsyringe', 'ajv/']],
    ['check', 'app/check/check-configuration.ts', [...SETTINGS, 'cockatiel', 'fastify', 'tsyringe', 'ajv/']],
    ['decisions', 'app/commands/decisions-commands.ts', [...NETWORK, 'tsyringe', '@marcbachmann/cel-js']],
    ['gate', 'app/commands/gate-command.ts', [...NETWORK, 'tsyringe', 'ajv/', '@marcbachmann/cel-js']],
    ['verify', 'app/commands/command-line-verification.ts', [...SETTINGS, 'fastify', '@fastify/', 'prom-client']],
    ['the service', 'app/service.ts', SETTINGS],
  ])('for %s leaves out what others need', (_what, entry, absent) => {
    const loaded = [...loadedBy(entry).packages];
    expect(loaded.length).toBeGreaterThan(0);
    expect(
      loaded.filter((name) =>
        absent.some((heavy) => name === heavy || (heavy.endsWith('/') && name.startsWith(heavy))),
      ),
    ).toEqual([]);
  });
});

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/**
 * Makes the generated modules if one of them is missing, or was made of other sources. Everything that reads `src` runs
 * scripts/ensure-generated.mjs first: compilers, tests, the build, and npm after an installation.
 */
const inProject = (path) => new URL(`../${path}`, import.meta.url);
const MAKER = 'scripts/write-modules.ts';
const CARRIED = 'src/tee/snp/amd/carried';
/** package.json has the version of the library that makes types. */
const SOURCES = [
  'openapi.yaml',
  'package.json',
  MAKER,
  'scripts/openapi-modules.ts',
  'scripts/certificates-module.ts',
  ...readdirSync(inProject(CARRIED))
    .sort()
    .map((name) => `${CARRIED}/${name}`),
];

/** The modules, in the order in which scripts/write-modules.ts makes them. */
export const MODULES = [
  'src/wire/generated/openapi-types.ts',
  'src/relying-party/generated/openapi-types.ts',
  'src/inspector/generated/openapi-types.ts',
  'src/wire/generated/openapi-schemas.ts',
  'src/tee/snp/amd/generated/carried-certificates.ts',
];

/** The first line of each module, with the digest of its sources. */
export function firstLine() {
  const digest = createHash('sha256');
  for (const path of SOURCES) digest.update(readFileSync(inProject(path)));
  return `// Made by scripts/ensure-generated.mjs, and not committed. Sources: ${digest.digest('hex')}\n`;
}

export async function ensureGenerated() {
  const expected = firstLine();
  if (MODULES.every((path) => isMadeOf(path, expected))) return;
  const { tsImport } = await import('tsx/esm/api');
  const { writeModules } = await tsImport(inProject(MAKER).href, import.meta.url);
  await writeModules();
}

function isMadeOf(path, expected) {
  const file = inProject(path);
  return existsSync(file) && readFileSync(file, 'utf8').startsWith(expected);
}

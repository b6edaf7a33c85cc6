import { build } from 'esbuild';
import { isOutput } from './kinds.js';

/** Files that others load, and what they load from outside of the project. */
export interface Reach {
  /** Paths from the root of the project. */
  readonly files: readonly string[];
  /** Packages, and core modules with `node:`. */
  readonly packages: readonly string[];
}

/** What is loaded before the first line of an entry runs. Imports of types load nothing. */
export async function loadedBy(...entries: readonly string[]): Promise<Reach> {
  const { metafile } = await build({
    entryPoints: [...entries],
    outdir: 'unused',
    write: false,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    metafile: true,
  });
  const imports = Object.values(metafile.inputs).flatMap((input) => input.imports);
  return {
    files: Object.keys(metafile.inputs).filter((path) => !isOutput(path)),
    packages: [...new Set(imports.flatMap(({ path, external }) => (external === true ? [path] : [])))].sort(),
  };
}

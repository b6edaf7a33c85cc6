import { rmSync } from 'node:fs';
import { join, parse } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { ensureGenerated } from './generated-modules.mjs';

/**
 * Writes the JavaScript of src to dist in about a second: `main.js`, and below `modules` what it loads. A hundred files
 * with what belongs together load in three quarters of the time of the six hundred of src. Packages stay where npm installs
 * them. Compares no types: `npm run lint` does. src/inspector is part of the pages (scripts/pages/build.ts), src/library of
 * the package (scripts/build-library.mjs).
 *
 * Arguments: programs of tests, which share the modules of `main.js`; each is written to dist too.
 */
const PROJECT = fileURLToPath(new URL('..', import.meta.url));
const dist = join(PROJECT, 'dist');
const programs = process.argv.slice(2).map((file) => [parse(file).name, file]);

await ensureGenerated();
// Names of modules change with what is in them.
rmSync(join(dist, 'modules'), { recursive: true, force: true });
await build({
  // Paths relative to `import.meta.url` are the same from src/app and from dist/modules.
  entryPoints: {
    main: 'src/main.ts',
    'modules/worker': 'src/stores/sqlite/worker.ts',
    ...Object.fromEntries(programs),
  },
  absWorkingDir: PROJECT,
  outdir: dist,
  chunkNames: 'modules/[name]-[hash]',
  bundle: true,
  splitting: true,
  packages: 'external',
  platform: 'node',
  target: 'node20',
  format: 'esm',
  legalComments: 'none',
  sourcemap: true,
  logLevel: 'warning',
});

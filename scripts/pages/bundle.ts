import { readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { build, type OutputFile, type Plugin } from 'esbuild';
import type { ListedExample } from '../../src/inspector/example.js';
import { type BuiltFile, sha256, shortDigest, text } from './built-file.js';
import { type AnsweredExample, exampleFiles } from './examples.js';
import { inspectorPage, singlePage } from './inspector-html.js';

interface BundleOptions {
  /** Folder of the project. */
  readonly root: string;
  readonly version: string;
  readonly icon: BuiltFile;
  readonly examples: readonly AnsweredExample[];
}

/** Name of the inspector as one file. */
export const SINGLE = 'veritee-inspector.html';

/** The inspector: its page, script and style as files of their own, and the same as one file with its digest. */
export async function bundleInspector({ root, version, icon, ...given }: BundleOptions): Promise<readonly BuiltFile[]> {
  const examples = exampleFiles(given.examples);
  const outputs = await bundle(root, version, examples.list);
  const [script, style] = [ofType(outputs, '.js'), ofType(outputs, '.css')];
  const page = inspectorPage({ script: basename(script.path), style: basename(style.path), icon: icon.file });
  const iconText = Buffer.from(icon.content).toString('utf8');
  const single = text(singlePage({ script: script.text, style: style.text, icon: iconText }));
  return [
    { path: '/', file: 'index.html', content: text(page), lasting: false, part: 'inspector' },
    lasting(basename(script.path), script.contents),
    lasting(basename(style.path), style.contents),
    ...examples.files,
    { path: `/inspector/${SINGLE}`, file: SINGLE, content: single, lasting: false, part: 'inspector' },
    {
      path: `/inspector/${SINGLE}.sha256`,
      file: `${SINGLE}.sha256.txt`,
      content: text(`${sha256(single)}  ${SINGLE}\n`),
      lasting: false,
      part: 'inspector',
    },
  ];
}

const BUNDLED = {
  outdir: 'dist/inspector',
  entryNames: '[name]-[hash]',
  bundle: true,
  minify: true,
  legalComments: 'none',
  write: false,
  logLevel: 'error',
} as const;

async function bundle(
  root: string,
  version: string,
  examples: readonly ListedExample[],
): Promise<readonly OutputFile[]> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    ...BUNDLED,
    entryPoints: { app: 'src/inspector/main.tsx' },
    format: 'esm',
    platform: 'browser',
    target: ['es2022'],
    define: { VERSION: JSON.stringify(version), EXAMPLES: JSON.stringify(examples) },
    tsconfig: 'src/inspector/tsconfig.json',
    plugins: [browserTwins(root)],
  });
  return outputFiles;
}

/** The icon of every page. It is there without the inspector too. */
export function iconFile(root: string): BuiltFile {
  const content = readFileSync(join(root, 'src/inspector/icon.svg'));
  return { ...lasting(`icon-${shortDigest(content)}.svg`, content), part: 'docs' };
}

/** The style of `/docs`, which shares a part with that of the inspector. */
export async function bundleStyle(root: string): Promise<OutputFile> {
  const entryPoints = { docs: 'scripts/pages/docs.css' };
  const { outputFiles } = await build({ absWorkingDir: root, ...BUNDLED, entryPoints });
  return ofType(outputFiles, '.css');
}

/** Modules that need Node, and their replacement in the bundle: functions of the same names, which tests hold to the same cases. */
const TWINS: { readonly [module: string]: string } = {
  'src/core/bytes.js': 'src/inspector/browser-bytes.ts',
  'src/crypto/digest.js': 'src/inspector/browser-digest.ts',
};

function browserTwins(root: string): Plugin {
  return {
    name: 'browser-twins',
    setup: ({ onResolve }) => {
      onResolve({ filter: /\/(bytes|digest)\.js$/ }, ({ path, resolveDir }) => {
        const twin = TWINS[relative(root, join(resolveDir, path)).replaceAll('\\', '/')];
        return twin === undefined ? null : { path: join(root, twin) };
      });
    },
  };
}

function ofType(outputs: readonly OutputFile[], ending: string): OutputFile {
  const found = outputs.find(({ path }) => path.endsWith(ending));
  if (found === undefined) throw new Error(`the bundle has no ${ending}`);
  return found;
}

function lasting(file: string, content: Uint8Array): BuiltFile {
  return { path: `/inspector/${file}`, file, content, lasting: true, part: 'inspector' };
}

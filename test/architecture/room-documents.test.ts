import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROJECT, readProjectFile, typeScriptFiles } from './project-files.js';

const DOCUMENTS = readdirSync(join(PROJECT, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('README.md'))
  .map((path) => `src/${path}`)
  .sort();

/** A name with the ending of a file, or a path of folders. Paths of claims have dots, and JSON pointers begin with `/`. */
const FILE =
  /^(?:\.\.\/)*[\w-]+(?:\/[\w-]+)*\.(?:ts|md|yaml|json|mjs)$|^(?:\.\.\/)*[a-z-]+(?:\/[a-z-]+)+$|^\.\.\/[a-z-]+$/;
const METHOD = /^([A-Z]\w+)#(\w+)$/;

const inBackticks = (text: string) => [...text.matchAll(/`([^`\n]+)`/g)].map(([, name = '']) => name);

/** Files and folders that a document names and that are neither beside it, nor in `src`, nor in the project. */
function missingFiles(path: string, text: string): readonly string[] {
  const folders = [dirname(path), 'src', ''];
  const named = inBackticks(text).filter((name) => FILE.test(name));
  return named.filter((name) => !folders.some((folder) => existsSync(join(PROJECT, folder, name))));
}

/** Methods, written `Class#method`, that no file has. */
function missingMethods(text: string, sources: readonly string[]): readonly string[] {
  return inBackticks(text).filter((name) => {
    const [, type, method] = METHOD.exec(name) ?? [];
    if (type === undefined) return false;
    const declared = new RegExp(`^ {2}(?:async )?#?${method}\\(`, 'm');
    return !sources.some((source) => source.includes(`class ${type} `) && declared.test(source));
  });
}

describe('the documents of the rooms', () => {
  const sources = typeScriptFiles('src').map(readProjectFile);

  it.each(DOCUMENTS)('%s names files and methods that are there, and links to files that are there', (path) => {
    const text = readProjectFile(path);
    const links = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, target = '']) => target);
    expect(missingFiles(path, text)).toEqual([]);
    expect(missingMethods(text, sources)).toEqual([]);
    expect(links.filter((target) => !existsSync(join(PROJECT, dirname(path), target)))).toEqual([]);
  });

  it.each(['`pck-path.ts`', '`vendors/intel/pck-paths.ts`', '`../snps`', '`../../docs/format.md`', '`amd/root`'])(
    'would be found out where they named %s',
    (text) => expect(missingFiles('src/tee/tdx/README.md', text)).toHaveLength(1),
  );

  it('would be found out where they named a method of another class', () => {
    expect(missingMethods('`TdxVerifier#judge`, `TdxVerifier#verify`', sources)).toEqual(['TdxVerifier#judge']);
  });
});

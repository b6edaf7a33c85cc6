import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ListedExample } from '../../src/inspector/example.js';
import type { BuiltFile } from './built-file.js';

/** Recordings of the lab, as files that never change and the list of them. */
export function exampleFiles(root: string): {
  readonly files: readonly BuiltFile[];
  readonly list: readonly ListedExample[];
} {
  const folder = join(root, 'src/inspector/examples');
  const built = readdirSync(folder)
    // The lab's trust anchors are only for recording.
    .filter((name) => /^\d+-/.test(name))
    .toSorted()
    .map((name) => builtExample(name, readFileSync(join(folder, name), 'utf8')));
  return { files: built.map(({ file }) => file), list: built.map(({ listed }) => listed) };
}

function builtExample(name: string, text: string): { readonly file: BuiltFile; readonly listed: ListedExample } {
  const example = JSON.parse(text);
  const content = Buffer.from(JSON.stringify(example));
  const digest = createHash('sha256').update(content).digest('hex').slice(0, 8).toUpperCase();
  const file = `example-${name.replace(/^\d+-(.*)\.json$/, '$1')}-${digest}.json`;
  const path = `/inspector/${file}`;
  const { title, shows } = example;
  return { file: { path, file, content, lasting: true, part: 'inspector' }, listed: { title, shows, path } };
}

import { basename } from 'node:path';
import type { JsonObject } from '../../src/core/json.js';
import { type ApiDocument, apiPage } from './api-page.js';
import { type BuiltFile, text } from './built-file.js';
import { bundleStyle } from './bundle.js';

/** Builds `/docs`, the contract as a page for people, and its style. A test compares its source with openapi.yaml. */
export async function buildDocs(root: string, icon: BuiltFile, api: JsonObject): Promise<readonly BuiltFile[]> {
  const { path, contents: content } = await bundleStyle(root);
  const file = basename(path);
  const style = { path: `/inspector/${file}`, file, content, lasting: true, part: 'docs' } as const;
  const page = apiPage(api as unknown as ApiDocument, { style: style.path, icon: icon.path });
  return [{ path: '/docs', file: 'docs.html', content: text(page), lasting: false, part: 'docs' }, style];
}

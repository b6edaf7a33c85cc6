import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import type { BuiltFile } from './built-file.js';
import { bundleInspector, iconFile } from './bundle.js';
import { buildDocs } from './docs.js';
import { answeredExamples, withLabService } from './examples.js';
import { documentWithExamples } from './openapi-examples.js';

/**
 * Makes the pages that the service serves, and pages.json, which lists them: the path of each, its file, whether what is at the
 * path never changes, and what it belongs to. Also openapi.json, the answer to `GET /openapi.json`.
 */

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };
/** Of less, nothing is saved, and nothing of pictures that are compressed themselves. */
const SMALLEST_COMPRESSED = 1024;

/** @param out the folder, which is made anew */
export async function buildPages(out: string): Promise<void> {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { readonly version: string };
  const icon = iconFile(ROOT);
  const { api, examples } = await withLabService(async (service) => ({
    api: await documentWithExamples(service),
    examples: await answeredExamples(service),
  }));
  const inspector = await bundleInspector({ root: ROOT, version, icon, examples });
  const files = [...inspector, ...(await buildDocs(ROOT, icon, api)), icon];
  rmSync(out, { recursive: true, force: true });
  for (const file of files) write(out, file);
  writeFileSync(join(out, 'openapi.json'), JSON.stringify(api));
  const listed = files.map(({ path, file, lasting, part }) => ({ path, file, lasting, part }));
  writeFileSync(join(out, 'pages.json'), `${JSON.stringify(listed, null, 2)}\n`);
}

function write(out: string, { file, content }: BuiltFile): void {
  const path = join(out, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  if (content.byteLength < SMALLEST_COMPRESSED || file.endsWith('.png')) return;
  writeFileSync(`${path}.br`, brotliCompressSync(content, BROTLI));
  writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildPages(join(ROOT, 'dist/inspector'));

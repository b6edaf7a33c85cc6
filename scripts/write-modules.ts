import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { certificatesModule } from './certificates-module.js';
import { firstLine, MODULES } from './generated-modules.mjs';
import { openapiModules } from './openapi-modules.js';

const ROOT = new URL('../', import.meta.url);

/** The generated modules: path from the root of the project, and text. */
export async function generatedModules(): Promise<ReadonlyMap<string, string>> {
  const texts = [...(await openapiModules()), certificatesModule()];
  const head = firstLine();
  return new Map(MODULES.map((path, index) => [path, `${head}${texts[index]}`]));
}

/** Another process may read a module or write the same one: each is put in place whole. */
export async function writeModules(): Promise<void> {
  for (const [path, text] of await generatedModules()) {
    const file = fileURLToPath(new URL(path, ROOT));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(`${file}.${process.pid}`, text);
    renameSync(`${file}.${process.pid}`, file);
  }
}

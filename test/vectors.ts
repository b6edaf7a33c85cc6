import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The real evidence of the test suites. It is not part of the project: `VERITEE_VECTORS` says where it is. */
const FOLDER = resolve(process.env['VERITEE_VECTORS'] ?? '../shared/vectors');

export interface Vector {
  readonly id: string;
  readonly family: string;
  readonly files: readonly string[];
  readonly verifyAt: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: facts differ by family and are compared, never trusted
  readonly expect: { readonly verdict: 'verifies' | 'fails'; readonly reason: string; readonly facts: any };
}

export interface Recipe {
  readonly id: string;
  readonly base: string;
  readonly op: 'xor' | 'truncate' | 'append' | 'replaceFile' | 'clock';
  readonly file?: string;
  readonly offset?: number;
  readonly xor?: string;
  readonly length?: number;
  readonly append?: string;
  readonly with?: string;
  readonly verifyAt?: string;
  readonly field: string;
  readonly expectedReason: string;
  readonly alsoFails: readonly string[];
}

/** Whether the vectors are here. Where they are required and are not, loading this file fails. */
export const haveVectors = existsSync(join(FOLDER, 'manifest.json'));

if (!haveVectors) {
  const message = `no vectors in ${FOLDER}`;
  if (process.env['VERITEE_REQUIRE_VECTORS'] === '1') throw new Error(message);
  process.stderr.write(`left out: suites over real evidence, since there are ${message} (set VERITEE_VECTORS)\n`);
}

export function readVector(file: string): Uint8Array {
  return readFileSync(join(FOLDER, file));
}

export function vectors(...families: readonly string[]): readonly Vector[] {
  const all: readonly Vector[] = JSON.parse(readFileSync(join(FOLDER, 'manifest.json'), 'utf8'));
  return all.filter((vector) => families.includes(vector.family));
}

export function vector(id: string): Vector {
  const all: readonly Vector[] = JSON.parse(readFileSync(join(FOLDER, 'manifest.json'), 'utf8'));
  const found = all.find((candidate) => candidate.id === id);
  if (found === undefined) throw new Error(`no vector ${id}`);
  return found;
}

/** Recipes of every family. */
export function allRecipes(): readonly Recipe[] {
  return JSON.parse(readFileSync(join(FOLDER, 'negatives.json'), 'utf8'));
}

export function recipes(...families: readonly string[]): readonly Recipe[] {
  const bases = new Set(vectors(...families).map((entry) => entry.id));
  return allRecipes().filter((recipe) => bases.has(recipe.base));
}

/** The bytes of `file` under a recipe: unchanged where the recipe is about another file. */
export function applyRecipe(recipe: Recipe, file: string): Uint8Array {
  const bytes = readVector(file);
  if (recipe.file !== file) return bytes;
  switch (recipe.op) {
    case 'xor': {
      const changed = Uint8Array.from(bytes);
      const mask = Buffer.from(recipe.xor ?? '', 'hex');
      for (const [i, bit] of mask.entries())
        changed[(recipe.offset ?? 0) + i] = (changed[(recipe.offset ?? 0) + i] ?? 0) ^ bit;
      return changed;
    }
    case 'truncate':
      return bytes.subarray(0, recipe.length);
    case 'append':
      return Buffer.concat([bytes, Buffer.from(recipe.append ?? '', 'hex')]);
    case 'replaceFile':
      return readVector(recipe.with ?? '');
    case 'clock':
      return bytes;
  }
}

import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import ts from 'typescript';

/** One row id, or several as in `SNP-01, SNP-02 refuses …`, at the start of a title. */
const LEADING_IDS = /^(?:[A-Z]{3}-\d{2}(?:, | and |\/)?)+(?=\s|$)/;

/** Titles of `it`, `test` and `describe` in a text, `.each` and its like included. */
export function testTitles(text: string): readonly string[] {
  const file = ts.createSourceFile('x.test.ts', text, ts.ScriptTarget.ES2023, true);
  const titles: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && isTestCall(node.expression)) titles.push(...literalText(node.arguments[0]));
    ts.forEachChild(node, visit);
  };
  visit(file);
  return titles;
}

/** `it`, `it.only`, `it.each(…)`, `describe.skipIf(…)`: whatever begins with one of the three words. */
function isTestCall(callee: ts.Expression): boolean {
  if (ts.isIdentifier(callee)) return ['it', 'test', 'describe'].includes(callee.text);
  if (ts.isPropertyAccessExpression(callee) || ts.isCallExpression(callee)) return isTestCall(callee.expression);
  return ts.isTaggedTemplateExpression(callee) && isTestCall(callee.tag);
}

function literalText(title: ts.Expression | undefined): readonly string[] {
  if (title === undefined) return [];
  if (ts.isStringLiteralLike(title)) return [title.text];
  return ts.isTemplateExpression(title) ? [title.head.text] : [];
}

/** Ids of rows that a title names. */
export function rowIds(title: string): readonly string[] {
  return LEADING_IDS.exec(title)?.[0].match(/[A-Z]{3}-\d{2}/g) ?? [];
}

/** Row id to the test files that name it, as paths from `root`, in order. */
export function filesByRow(root: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const path of testFiles(root)) {
    const ids = testTitles(readFileSync(join(root, path), 'utf8')).flatMap(rowIds);
    for (const id of new Set(ids)) found.set(id, [...(found.get(id) ?? []), path]);
  }
  return found;
}

function testFiles(root: string): readonly string[] {
  return readdirSync(join(root, 'test'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

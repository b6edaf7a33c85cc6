import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import ts from 'typescript';

/** One row id, or several as in `SNP-01, SNP-02 refuses …`, at the start of a title. */
const LEADING_IDS = /^(?:[A-Z]{3}-\d{2}(?:, | and |\/)?)+(?=\s|$)/;

/** A call of `it`, `test` or `describe`, `.each` and its like included. */
export interface NamedTest {
  readonly title: string;
  /**
   * Every string in the test and in what it uses of its file: codes that it can assert are among them. Names are not:
   * a variable or a member that is called as a code asserts nothing.
   */
  readonly strings: ReadonlySet<string>;
}

/** The tests of a text, in order. */
export function namedTests(text: string): readonly NamedTest[] {
  const file = ts.createSourceFile('x.test.ts', text, ts.ScriptTarget.ES2023, true);
  const declared = declarations(file);
  const found: NamedTest[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && isTestCall(node.expression)) {
      const titles = literalText(node.arguments[0]).flatMap((title) => [title, ...titlesInTable(title, node)]);
      if (titles.length > 0) {
        const strings = stringsOf(node, declared);
        found.push(...titles.map((title) => ({ title, strings })));
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
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

/** Titles in the table of `it.each`, if the title itself is only a placeholder. */
function titlesInTable(title: string, test: ts.CallExpression): readonly string[] {
  if (!/^(%s|\$)/.test(title)) return [];
  const titles: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) && rowIds(node.text).length > 0) titles.push(node.text);
    ts.forEachChild(node, visit);
  };
  visit(test.expression);
  return titles;
}

/** Name to what is declared under it anywhere in the file: tables of cases and functions that tests share. */
function declarations(file: ts.SourceFile): ReadonlyMap<string, readonly ts.Node[]> {
  const declared = new Map<string, ts.Node[]>();
  const add = (name: string, node: ts.Node) => declared.set(name, [...(declared.get(name) ?? []), node]);
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionDeclaration(node) && node.name !== undefined) add(node.name.text, node);
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.initializer !== undefined) {
      add(node.name.text, node.initializer);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return declared;
}

function stringsOf(test: ts.Node, declared: ReadonlyMap<string, readonly ts.Node[]>): ReadonlySet<string> {
  const strings = new Set<string>();
  const seen = new Set<ts.Node>();
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) for (const text of [node.text, ...wordsOf(node.text)]) strings.add(text);
    if (ts.isIdentifier(node)) declared.get(node.text)?.forEach(follow);
    ts.forEachChild(node, visit);
  };
  const follow = (node: ts.Node): void => {
    if (seen.has(node)) return;
    seen.add(node);
    visit(node);
  };
  visit(test);
  return strings;
}

/** Words of a short verdict such as `deny nonce_used`. A sentence names a code, and asserts nothing. */
function wordsOf(text: string): readonly string[] {
  return /^\w+( \w+){1,2}$/.test(text) ? text.split(' ') : [];
}

/** Ids of rows that a title names. */
export function rowIds(title: string): readonly string[] {
  return LEADING_IDS.exec(title)?.[0].match(/[A-Z]{3}-\d{2}/g) ?? [];
}

/** A test that names a row, and the file that it stands in. */
export interface RowTest extends NamedTest {
  /** Path from the root of the project. */
  readonly file: string;
}

/** Row id to the tests that name it, by file and place. */
export function testsByRow(root: string): ReadonlyMap<string, readonly RowTest[]> {
  const found = new Map<string, RowTest[]>();
  for (const file of testFiles(root)) {
    for (const test of namedTests(readFileSync(join(root, file), 'utf8'))) {
      for (const id of rowIds(test.title)) found.set(id, [...(found.get(id) ?? []), { ...test, file }]);
    }
  }
  return found;
}

function testFiles(root: string): readonly string[] {
  return readdirSync(join(root, 'test'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

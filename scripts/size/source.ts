import { readFileSync } from 'node:fs';
import ts from 'typescript';

/** One file of `src`, measured. */
export interface Source {
  readonly path: string;
  readonly room: string;
  /** Lines with code on them, and lines with nothing but comment. */
  readonly code: number;
  readonly comment: number;
  /** Comment lines that begin with a clause in the place of a noun. */
  readonly clauses: number;
  /** Names of the functions at the top level. */
  readonly declared: readonly string[];
  readonly functions: readonly { readonly name: string; readonly lines: number }[];
  /** Paths as written in import and export declarations. */
  readonly imports: readonly string[];
}

const CLAUSE = /^\s*(?:\/\*\*|\*|\/\/) *(?:What|Whose|Who)\b/;

export function sourceOf(path: string): Source {
  const file = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
  const [, room = ''] = path.split('/');
  return {
    path,
    room: path.split('/').length === 2 ? 'main' : room,
    ...lineCounts(file),
    clauses: file.text.split('\n').filter((line) => CLAUSE.test(line)).length,
    declared: file.statements.flatMap((each) => (ts.isFunctionDeclaration(each) ? (each.name?.text ?? []) : [])),
    functions: functionsOf(file),
    imports: importsOf(file),
  };
}

function lineCounts(file: ts.SourceFile): Pick<Source, 'code' | 'comment'> {
  const lineOf = (position: number) => file.getLineAndCharacterOfPosition(position).line;
  const code = new Set<number>();
  const mark = (node: ts.Node) => {
    if (ts.isJSDoc(node)) return;
    const parts = node.getChildren(file);
    parts.forEach(mark);
    const start = node.getStart(file);
    if (parts.length > 0 || node.end === start) return;
    for (let line = lineOf(start); line <= lineOf(node.end); line++) code.add(line);
  };
  file.statements.forEach(mark);
  const written = file.text.split('\n').filter((line) => line.trim() !== '').length;
  return { code: code.size, comment: written - code.size };
}

function functionsOf(file: ts.SourceFile): Source['functions'] {
  const found: { name: string; lines: number }[] = [];
  const visit = (node: ts.Node) => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined) {
      const [first, last] = [node.getStart(file), node.end].map((at) => file.getLineAndCharacterOfPosition(at).line);
      const name = node.name?.getText(file) ?? '(no name)';
      found.push({ name, lines: (last ?? 0) - (first ?? 0) + 1 });
    }
    node.forEachChild(visit);
  };
  visit(file);
  return found;
}

function importsOf(file: ts.SourceFile): readonly string[] {
  return file.statements.flatMap((statement) =>
    (ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement)) &&
    statement.moduleSpecifier !== undefined &&
    ts.isStringLiteral(statement.moduleSpecifier)
      ? [statement.moduleSpecifier.text]
      : [],
  );
}

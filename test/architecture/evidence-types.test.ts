import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { EVIDENCE_TYPES } from '../../src/core/evidence-traits.js';
import { readProjectFile, typeScriptFiles } from './project-files.js';

/** The file that may tell types of evidence apart: the table. */
const MAY_COMPARE = 'src/core/evidence-traits.ts';

const TYPES: ReadonlySet<string> = new Set(EVIDENCE_TYPES);

/** Types whose names TEEs, and sections of claims and reference values, have as well. */
const SHARED_NAMES: ReadonlySet<string> = new Set(['snp', 'tdx', 'tpm']);

/** Names of values that hold a TEE, the type of an HCL report, a section or a kind. */
const OF_A_TEE = /^(tee|teeOf|reportType|section|kind)$/;

const EQUALITY: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.EqualsEqualsToken,
  ts.SyntaxKind.EqualsEqualsEqualsToken,
  ts.SyntaxKind.ExclamationEqualsToken,
  ts.SyntaxKind.ExclamationEqualsEqualsToken,
]);

const SEARCHING: ReadonlySet<string> = new Set(['includes', 'has', 'indexOf', 'get', 'startsWith', 'endsWith']);

/** The name that a compared value goes by: its last member, or the function that gives it. */
function nameOf(node: ts.Expression): string {
  if (ts.isIdentifier(node)) return node.text;
  if (ts.isPropertyAccessExpression(node)) return node.name.text;
  if (ts.isCallExpression(node)) return nameOf(node.expression);
  if (ts.isElementAccessExpression(node) && ts.isStringLiteral(node.argumentExpression)) {
    return node.argumentExpression.text;
  }
  return '';
}

function isType(node: ts.Expression): boolean {
  return ts.isStringLiteralLike(node) && TYPES.has(node.text);
}

/** A name that is a type's alone, or that is compared with a value that is no TEE. */
function isTypeBeside(node: ts.Expression, other: ts.Expression): boolean {
  if (!ts.isStringLiteralLike(node) || !TYPES.has(node.text)) return false;
  return !SHARED_NAMES.has(node.text) || !OF_A_TEE.test(nameOf(other));
}

function tellsTypesApart(node: ts.Node): boolean {
  if (ts.isBinaryExpression(node) && EQUALITY.has(node.operatorToken.kind)) {
    return isTypeBeside(node.left, node.right) || isTypeBeside(node.right, node.left);
  }
  if (ts.isCaseClause(node)) return isTypeBeside(node.expression, node.parent.parent.expression);
  if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
    const { expression, name } = node.expression;
    const [sought] = node.arguments;
    return (
      SEARCHING.has(name.text) && sought !== undefined && isType(sought) && !/tees|section/i.test(nameOf(expression))
    );
  }
  // A list by hand: with a name that is a type's alone, since lists of TEEs and sections are others.
  if (ts.isArrayLiteralExpression(node)) {
    return node.elements.some((element) => isType(element) && !SHARED_NAMES.has((element as ts.StringLiteral).text));
  }
  return false;
}

/** Where a text compares the name of a type of evidence, or lists some. */
function comparisonsIn(text: string): readonly string[] {
  const file = ts.createSourceFile('room.ts', text, ts.ScriptTarget.ES2023, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (tellsTypesApart(node)) found.push(node.getText(file).split('\n', 1)[0] ?? '');
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

describe('types of evidence', () => {
  const files = typeScriptFiles('src').filter((path) => !path.includes('/generated/') && path !== MAY_COMPARE);

  it('are told apart by the table of their traits alone', () => {
    const found = files.flatMap((path) => comparisonsIn(readProjectFile(path)).map((text) => `${path}: ${text}`));
    expect(found).toEqual([]);
  });

  it.each([
    "if (evidence.type === 'snp') allow();",
    "return 'maa-token' === evidenceType ? 'maa' : 'ita';",
    "if (type !== 'tpm') judge();",
    "if (request.evidence['type'] == 'tdx') judge();",
    "switch (evidence.type) { case 'az-snp-vtpm': judge(); }",
    "switch (type) { case 'tdx': judge(); }",
    "return accepts.includes('az-tdx-vtpm');",
    "const HARDWARE = ['snp', 'tdx', 'az-snp-vtpm'];",
    "const FORMS = new Map([['ita-token', 'ItaTokenEvidence']]);",
    "return forms.get('tdx');",
    "return tee === 'az-snp-vtpm';",
  ])('would be found in `%s`', (text) => {
    expect(comparisonsIn(text)).not.toEqual([]);
  });

  it.each([
    "return teeOf(type) === 'snp';",
    "if (submission.tee !== 'tdx') refuse();",
    "return reportType === 'snp' ? hardwareReport : null;",
    "switch (tee) { case 'snp': judge(); }",
    "const SECTIONS = ['snp', 'tdx', 'hcl', 'tpm'];",
    "return tees.has('snp');",
    "return { type: 'az-snp-vtpm', hclReport };",
    "const VERIFIERS = { snp: SnpVerifier, 'az-snp-vtpm': AzSnpVtpmVerifier };",
    "return tokenRouteOf(type) === 'maa';",
  ])('may be spoken of as in `%s`', (text) => {
    expect(comparisonsIn(text)).toEqual([]);
  });
});

import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { readProjectFile, typeScriptFiles } from './project-files.js';

/** Names of what must not be found out byte by byte: nonces, MACs, keys, and the fields that hold a nonce. */
const SECRET =
  /nonce$|^h?mac$|secret$|password$|apiKey$|apiKeySha256$|^challenge$|^extraData$|^userData$|^reportData$/i;

/** Files that compare such values under any name: no comparison of bytes in them but the one in constant time. */
const COMPARING_SECRETS = [
  'src/crypto/constant-time.ts',
  'src/callers/api-keys.ts',
  'src/judge/challenge-codec.ts',
  'src/tee/shared/binding/held-value.ts',
  'src/tee/shared/paravisor/paravisor-claims.ts',
  'src/tee/shared/binding/report-data-binding.ts',
  'src/tee/shared/binding/runtime-data-binding.ts',
  'src/tee/tpm/tpm-quote-verifier.ts',
];

const EQUALITY: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.EqualsEqualsToken,
  ts.SyntaxKind.EqualsEqualsEqualsToken,
  ts.SyntaxKind.ExclamationEqualsToken,
  ts.SyntaxKind.ExclamationEqualsEqualsToken,
]);

/** Methods and functions that stop at the first byte or character that differs. */
const COMPARING: ReadonlySet<string> = new Set([
  'equals',
  'compare',
  'localeCompare',
  'startsWith',
  'endsWith',
  'indexOf',
  'isDeepStrictEqual',
  'isSameBytes',
]);

interface Comparison {
  readonly text: string;
  readonly operands: readonly ts.Expression[];
  readonly ofBytes: boolean;
}

function comparisonsIn(file: ts.SourceFile): readonly Comparison[] {
  const found: Comparison[] = [];
  const visit = (node: ts.Node): void => {
    const text = node.getText(file);
    if (ts.isBinaryExpression(node) && EQUALITY.has(node.operatorToken.kind)) {
      found.push({ text, operands: [node.left, node.right], ofBytes: false });
    }
    if (ts.isCallExpression(node)) {
      const { expression } = node;
      const isMethod = ts.isPropertyAccessExpression(expression);
      const name = isMethod ? expression.name.text : expression.getText(file);
      const object = isMethod ? [expression.expression] : [];
      if (COMPARING.has(name)) found.push({ text, operands: [...object, ...node.arguments], ofBytes: true });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** The name of what an operand is: the last member of a path, or what a function is given. Lengths are no secrets. */
function namesOf(node: ts.Expression): readonly string[] {
  if (ts.isIdentifier(node)) return [node.text];
  if (ts.isPropertyAccessExpression(node)) return [node.name.text];
  if (ts.isElementAccessExpression(node)) {
    return ts.isStringLiteral(node.argumentExpression) ? [node.argumentExpression.text] : namesOf(node.expression);
  }
  if (ts.isCallExpression(node)) {
    const { expression } = node;
    const object = ts.isPropertyAccessExpression(expression) ? namesOf(expression.expression) : [];
    return [...object, ...node.arguments.flatMap(namesOf)];
  }
  if (ts.isBinaryExpression(node)) return [...namesOf(node.left), ...namesOf(node.right)];
  if (ts.isParenthesizedExpression(node) || ts.isAsExpression(node) || ts.isNonNullExpression(node)) {
    return namesOf(node.expression);
  }
  return [];
}

/** A value that everybody knows: a literal, or a constant by its name. */
function isPublic(node: ts.Expression): boolean {
  if (ts.isIdentifier(node)) return node.text === 'undefined' || /^[A-Z][A-Z0-9_]+$/.test(node.text);
  const literals = [ts.isStringLiteral, ts.isNumericLiteral, ts.isRegularExpressionLiteral, ts.isTypeOfExpression];
  const words = [ts.SyntaxKind.NullKeyword, ts.SyntaxKind.TrueKeyword, ts.SyntaxKind.FalseKeyword];
  return literals.some((isLiteral) => isLiteral(node)) || words.includes(node.kind);
}

/** Comparisons of a text that tell by their time how much of a secret is right. */
function leakyComparisons(text: string, comparesSecrets = false): readonly string[] {
  const file = ts.createSourceFile('room.ts', text, ts.ScriptTarget.ES2023, true);
  return comparisonsIn(file)
    .filter(({ operands, ofBytes }) => {
      if (operands.some(isPublic)) return false;
      return (comparesSecrets && ofBytes) || operands.flatMap(namesOf).some((name) => SECRET.test(name));
    })
    .map((comparison) => comparison.text);
}

describe('secrets', () => {
  const files = ['src'].flatMap(typeScriptFiles).filter((path) => !path.includes('/generated/'));

  it('DEC-10 are compared in constant time, wherever a nonce, MAC or key is', () => {
    const leaky = files.flatMap((path) =>
      leakyComparisons(readProjectFile(path), COMPARING_SECRETS.includes(path)).map((text) => `${path}: ${text}`),
    );
    expect(leaky).toEqual([]);
  });

  it.each(COMPARING_SECRETS)('DEC-10 are compared in constant time in %s', (path) => {
    expect(readProjectFile(path)).toMatch(/\b(timingSafeEqual|equalInConstantTime|isPadded)\(/);
  });

  it.each([
    'if (nonce === other) allow();',
    'if (claims.nonce !== sent) deny();',
    "return claims['nonce'] === expected;",
    'return hex(nonce) === hex(held);',
    'return Buffer.compare(held, binding.nonce) === 0;',
    'return mac.equals(this.#mac(signed));',
    'return attest.extraData.equals(value);',
    'return digestOf(apiKey) === caller.apiKeySha256;',
    'return isDeepStrictEqual(reportData, expected);',
    'return (userData ?? none) == expected;',
  ])('DEC-10 would be found in `%s`', (text) => {
    expect(leakyComparisons(text)).not.toEqual([]);
  });

  it('DEC-10 would be found under any name in a file that compares them', () => {
    expect(leakyComparisons('return digest.equals(candidate.digest);', true)).not.toEqual([]);
    expect(leakyComparisons('return Buffer.compare(field, value) === 0;', true)).not.toEqual([]);
    expect(leakyComparisons('return isSameBytes(field, value);', true)).not.toEqual([]);
  });

  it.each([
    'if (nonce === null) return;',
    'if (nonce.byteLength !== expected.byteLength) return;',
    "if (nonce.origin === 'challenge') return;",
    "if (typeof nonce === 'string') return;",
    'if (BOUND_PREFIX.equals(nonce.subarray(0, 8))) refuse();',
    'return equalInConstantTime(nonce, other);',
    'return timingSafeEqual(mac, expected);',
  ])('may be looked at as in `%s`', (text) => {
    expect(leakyComparisons(text)).toEqual([]);
  });
});

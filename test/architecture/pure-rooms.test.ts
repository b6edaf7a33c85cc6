import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { readProjectFile, typeScriptFiles } from './project-files.js';

const PURE_ROOMS = [
  ...['core', 'formats', 'crypto', 'boot', 'tee', 'inspect', 'schema', 'policy', 'library'],
  'judge/cross-check',
];

const STRUCTURES = ['azure', 'maa', 'shared', 'snp', 'tdx', 'tpm'].map((tee) => `tee/${tee}/format`);

/** What the inspector reads evidence with, in a browser. */
const ROOMS_IN_BROWSERS = [
  'core',
  'formats',
  'tee/format',
  ...STRUCTURES,
  'tee/snp/amd',
  'tee/tdx/intel',
  'boot',
  'inspect',
];
/** Its build takes other functions in place of these. */
const BYTES = 'src/core/bytes.ts';

/** Globals through which a clock, the environment, chance or the world would come in. */
const WORLD = ['process', 'console', 'fetch', 'setTimeout', 'setInterval', 'setImmediate', 'performance', 'globalThis'];

/** Where a text uses the world: `Date.now` and `new Date()` without an instant among it. */
function usesOfTheWorld(text: string): readonly string[] {
  const file = ts.createSourceFile('room.ts', text, ts.ScriptTarget.ES2023, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (isWorldly(node)) found.push(node.getText(file));
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function isWorldly(node: ts.Node): boolean {
  if (ts.isNewExpression(node)) return node.expression.getText() === 'Date' && (node.arguments?.length ?? 0) === 0;
  if (ts.isPropertyAccessExpression(node)) return ['Date.now', 'Math.random'].includes(node.getText());
  if (ts.isCallExpression(node) && node.expression.getText() === 'Date') return true;
  return ts.isIdentifier(node) && WORLD.includes(node.text) && isReference(node);
}

function identifiersOf(text: string): readonly string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) found.push(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('room.ts', text, ts.ScriptTarget.ES2023, true));
  return found;
}

/** Not the name of a member, as in `key.process` or `{ process: 1 }`. */
function isReference(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  const names = [ts.isPropertyAssignment, ts.isPropertySignature, ts.isMethodDeclaration, ts.isMethodSignature];
  return !names.some((isMember) => isMember(parent) && parent.name === node);
}

describe('pure rooms', () => {
  it.each(PURE_ROOMS.flatMap((room) => typeScriptFiles(`src/${room}`)))(
    '%s has no clock, chance, environment or log',
    (path) => {
      expect(usesOfTheWorld(readProjectFile(path))).toEqual([]);
    },
  );

  it.each(ROOMS_IN_BROWSERS.flatMap((room) => typeScriptFiles(`src/${room}`)).filter((path) => path !== BYTES))(
    '%s has no Buffer, which browsers do not have',
    (path) => {
      expect(identifiersOf(readProjectFile(path))).not.toContain('Buffer');
    },
  );

  it.each([
    'const at = Date.now();',
    'const at = new Date();',
    'const at = new Date;',
    'const at = Date();',
    'const nonce = Math.random();',
    "const level = process.env['LEVEL'];",
    "console.log('x');",
    "await fetch('https://kds.example');",
    'setTimeout(() => undefined, 1);',
  ])('would be told of `%s`', (text) => {
    expect(usesOfTheWorld(text)).not.toEqual([]);
  });

  it.each([
    'const at = new Date(instant);',
    'const end = Date.parse(text);',
    'const p = report.process;',
    'interface Source { fetch(): void }',
  ])('may hold `%s`', (text) => {
    expect(usesOfTheWorld(text)).toEqual([]);
  });
});

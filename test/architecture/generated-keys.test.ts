import ts from 'typescript';
import { expect, it } from 'vitest';
import { readProjectFile, typeScriptFiles } from './project-files.js';

/** Calls of `generateKeyPairSync` that give a key object. */
function objectsIn(text: string): readonly string[] {
  // Most files have none, and parsing takes long.
  if (!text.includes('generateKeyPairSync')) return [];
  const file = ts.createSourceFile('room.ts', text, ts.ScriptTarget.ES2023, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const isCall = ts.isCallExpression(node) && node.expression.getText(file) === 'generateKeyPairSync';
    if (isCall && !node.getText(file).includes('privateKeyEncoding')) found.push(node.getText(file));
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

it('keys are generated as text, since a thread can wait for itself while a generated key object is exported', () => {
  const found = typeScriptFiles('src').flatMap((path) =>
    objectsIn(readProjectFile(path)).map((call) => `${path}: ${call}`),
  );
  expect(found).toEqual([]);
});

it.each(["generateKeyPairSync('x25519')", "generateKeyPairSync('ec', { namedCurve: 'P-256' })"])(
  '%s would be found',
  (call) => {
    expect(objectsIn(`const { privateKey } = ${call};`)).toEqual([call]);
  },
);

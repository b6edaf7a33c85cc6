import { LineCounter, parseDocument, visit } from 'yaml';
import type { Reading } from './setting.js';

/**
 * Reads YAML 1.2 (core schema): repeated keys, keys that are not text, aliases, unknown tags, version
 * directives and further documents are problems. An empty text is null.
 */
export function parseYaml(text: string, place: string): Reading<unknown> {
  const lines = new LineCounter();
  // Pretty errors quote the text, which may hold secrets.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true, merge: false });
  const problems = [...document.errors, ...document.warnings].map(
    ({ pos, code }) => `${place} line ${lines.linePos(pos[0]).line}: ${sayWhat(code)}`,
  );
  visit(document, {
    Alias(_key, node) {
      const line = lines.linePos(node.range?.[0] ?? 0).line;
      problems.push(`${place} line ${line}: aliases are not read`);
    },
  });
  // It can change the version, and with it what a plain word means.
  if (document.directives?.yaml.explicit === true) problems.push(`${place}: has a version directive`);
  return problems.length > 0 ? { problems } : { value: document.toJS() };
}

/** `DUPLICATE_KEY` as `duplicate key`: the messages of the parser quote the text. */
function sayWhat(code: string): string {
  return code.toLowerCase().replaceAll('_', ' ');
}

import { type Document, isMap, isNode, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from 'yaml';
import type { Reading } from './setting.js';

/** A YAML text that was read, and where in it things stand. */
export interface YamlText {
  readonly reading: Reading<unknown>;
  /** Line of a place such as `maa.issuers[0].keys`; where that is not there, of the innermost around it; null for the whole. */
  lineOf(place: string): number | null;
}

/**
 * Reads YAML 1.2 (core schema): repeated keys, keys that are not text, aliases, unknown tags, version
 * directives and further documents are problems. An empty text is null.
 */
export function readYaml(text: string, name: string): YamlText {
  const lines = new LineCounter();
  // Pretty errors quote the text, which may hold secrets.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true, merge: false });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${name} line ${line}, column ${col}`;
  };
  const faults = [...document.errors, ...document.warnings];
  // The parser says some things twice of one place.
  const problems = [...new Set(faults.map(({ pos, code }) => `${at(pos[0])}: ${sayWhat(code)}`))];
  visit(document, {
    Alias(_key, node) {
      problems.push(`${at(node.range?.[0] ?? 0)}: aliases (*name) are not read`);
    },
  });
  // It can change the version, and with it what a plain word means.
  if (document.directives?.yaml.explicit === true) problems.push(`${name}: has a version directive (%YAML)`);
  return {
    reading: problems.length > 0 ? { problems } : { value: document.toJS() },
    lineOf: (place) => {
      const offset = offsetOf(document, place);
      return offset === null ? null : lines.linePos(offset).line;
    },
  };
}

/** The value of a YAML text alone. */
export function parseYaml(text: string, name: string): Reading<unknown> {
  return readYaml(text, name).reading;
}

/** What the parser's codes mean. Its messages are not shown: they quote the text. */
const MEANINGS: ReadonlyMap<string, string> = new Map([
  ['BAD_ALIAS', 'aliases (*name) are not read'],
  ['BAD_DQ_ESCAPE', 'unknown escape in a text in double quotes'],
  ['BAD_INDENT', 'indented differently from what it belongs to, or a bracket is not closed'],
  ['BAD_SCALAR_START', 'a text that begins with this character needs quotes'],
  ['BLOCK_AS_IMPLICIT_KEY', 'a second "key:" on one line: a text with a colon and a blank needs quotes'],
  ['COMMENT_SPACE', 'a comment needs a blank before #'],
  ['DUPLICATE_KEY', 'this key stands there twice'],
  ['MISSING_CHAR', 'something is missing: a closing quote or bracket, a comma, or the blank after a colon'],
  ['MULTIPLE_DOCS', 'a second document begins: one is read'],
  ['MULTILINE_IMPLICIT_KEY', 'a key has to stand on one line, with a colon behind it'],
  ['NON_STRING_KEY', 'a key has to be text'],
  ['TAB_AS_INDENT', 'tabs cannot indent: use blanks'],
  ['TAG_RESOLVE_FAILED', 'unknown tag (!name)'],
  ['UNEXPECTED_TOKEN', 'unexpected here: is a quote, bracket or comma too many or missing?'],
]);

function sayWhat(code: string): string {
  return MEANINGS.get(code) ?? code.toLowerCase().replaceAll('_', ' ');
}

/** Names may hold dots themselves, so that a place is followed along the keys that there are. */
function offsetOf({ contents }: Document, place: string): number | null {
  let node: unknown = contents;
  let rest = place;
  let offset: number | null = null;
  while (rest !== '') {
    const next = isMap(node) ? memberOf(node.items, rest) : isSeq(node) ? itemOf(node.items, rest) : null;
    if (next === null) return offset;
    offset = next.offset ?? offset;
    node = next.value;
    rest = next.rest;
  }
  return offset;
}

interface Step {
  readonly offset: number | null;
  readonly value: unknown;
  readonly rest: string;
}

function memberOf(pairs: readonly { readonly key: unknown; readonly value: unknown }[], place: string): Step | null {
  for (const { key, value } of pairs) {
    if (!isScalar(key) || typeof key.value !== 'string' || !place.startsWith(key.value)) continue;
    const rest = place.slice(key.value.length);
    if (rest === '' || rest.startsWith('.')) return { offset: startOf(key), value, rest: rest.slice(1) };
    if (rest.startsWith('[')) return { offset: startOf(key), value, rest };
  }
  return null;
}

function itemOf(items: readonly unknown[], place: string): Step | null {
  const [whole = '', index = ''] = /^\[(\d+)\]\.?/.exec(place) ?? [];
  const item = whole === '' ? undefined : items[Number(index)];
  if (!isNode(item)) return null;
  return { offset: startOf(item), value: item, rest: place.slice(whole.length) };
}

function startOf(node: Node): number | null {
  return node.range?.[0] ?? null;
}

import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
} from 'yaml';
import { fromUtf8 } from '../core/bytes.js';
import { type JsonValue, PROTOTYPE_NAMES } from '../core/json.js';
import type { Path } from './schema.js';

/** A parsed YAML text, with the positions of its values. */
export interface YamlText {
  /** Null if there are problems. Objects have no prototype. An empty text is null. */
  readonly value: JsonValue;
  readonly problems: readonly YamlProblem[];
  /** Line of a place, or of its innermost existing parent; null for the whole. */
  lineOf(path: Path): number | null;
  /** First and last line of a member or item with its value; null if it does not exist. */
  linesOf(path: Path): readonly [first: number, last: number] | null;
}

export interface YamlProblem {
  /** Null if the syntax is wrong, so that there are no places. */
  readonly path: Path | null;
  /** Null for the text as a whole. */
  readonly position: { readonly line: number; readonly column: number } | null;
  readonly what: string;
}

/** Limits of an untrusted text, which must be plain: without anchors, tags and special keys. */
export interface YamlBounds {
  readonly bytes: number;
  /** Names, values, marks, blanks and line ends in all, which determine the work of the parser. Unbounded if left out. */
  readonly tokens?: number;
  readonly depth: number;
  /** Most reported syntax faults: one fault causes others after it. */
  readonly faults: number;
}

/** The meanings of the parser's codes. Its messages are not shown: they quote the text, which may contain secrets. */
const MEANINGS: ReadonlyMap<string, string> = new Map([
  ['BAD_ALIAS', 'aliases (*name) are not read'],
  ['BAD_DQ_ESCAPE', 'unknown escape in double-quoted text'],
  ['BAD_INDENT', 'indented differently from what it belongs to, or a bracket is not closed'],
  ['BAD_SCALAR_START', 'text that begins with this character needs quotes'],
  ['BLOCK_AS_IMPLICIT_KEY', 'a second "key:" on one line: text with a colon and a space needs quotes'],
  ['BLOCK_IN_FLOW', 'a block list or object cannot be inside brackets'],
  ['COMMENT_SPACE', 'a comment needs a space before #'],
  ['KEY_OVER_1024_CHARS', 'a key is longer than 1024 characters'],
  ['MISSING_CHAR', 'something is missing: a closing quote or bracket, a comma, or the space after a colon'],
  ['MULTIPLE_DOCS', 'a second document begins: only one is read'],
  ['MULTILINE_IMPLICIT_KEY', 'a key must be on one line, with a colon after it'],
  ['NON_STRING_KEY', 'a key must be text'],
  ['TAB_AS_INDENT', 'tabs cannot indent: use spaces'],
  ['TAG_RESOLVE_FAILED', 'unknown tag (!name)'],
  ['UNEXPECTED_TOKEN', 'unexpected here: is a quote, bracket or comma too many or missing?'],
]);

/** Names with a special meaning in YAML, or in JavaScript. */
const KEYS_WITH_A_MEANING: ReadonlySet<string> = new Set(['<<', ...PROTOTYPE_NAMES]);

/**
 * Reads one YAML 1.2 document under the core schema: every key is a unique text, without aliases, unknown tags and
 * version directives. JSON is read as a subset of YAML.
 *
 * @param bounds limits for a text that does not come from the operator
 */
export function readYaml(text: string, bounds?: YamlBounds): YamlText {
  if (bounds !== undefined && fromUtf8(text).byteLength > bounds.bytes) {
    return refusal(ofTheWhole(`larger than ${bounds.bytes} bytes`));
  }
  if (bounds?.tokens !== undefined && hasMoreTokens(text, bounds.tokens)) {
    return refusal(
      ofTheWhole(`has more than ${bounds.tokens} YAML tokens: names, values, marks, blanks and line ends`),
    );
  }
  const lines = new LineCounter();
  const document = parsed(text, lines);
  if (document === null) return refusal(ofTheWhole(TOO_DEEP));
  const positionOf = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const faults = [...document.errors, ...document.warnings].slice(0, bounds?.faults);
  if (faults.length > 0) {
    const said = faults.map(({ pos, code }) => ({ path: null, position: positionOf(pos[0]), what: sayWhat(code) }));
    return refusal(...distinct(said));
  }
  // It can change the version, and with it the meaning of a plain word. A tag directive has no effect without tags.
  if (document.directives?.yaml.explicit === true) return refusal(ofTheWhole('has a version directive (%YAML)'));
  const { contents } = document;
  if (contents === null && bounds !== undefined) return refusal(ofTheWhole('is empty'));
  const reader = new PlainReader(bounds);
  const value = reader.read(contents, []);
  return {
    value: reader.problems.length > 0 ? null : value,
    problems: reader.problems.map(({ offset, ...problem }) => ({ ...problem, position: positionOf(offset) })),
    lineOf(path) {
      const offset = offsetOf(contents, path);
      return offset === null ? null : lines.linePos(offset).line;
    },
    linesOf(path) {
      const extent = extentOf(contents, path);
      return extent === null ? null : [lines.linePos(extent[0]).line, lines.linePos(extent[1]).line];
    },
  };
}

const TOO_DEEP = 'nested too deep to be read';

/** Null if it is nested too deeply for the recursive parser. */
function parsed(text: string, lineCounter: LineCounter): Document.Parsed | null {
  try {
    return parseDocument(text, {
      lineCounter,
      prettyErrors: false,
      stringKeys: true,
      merge: false,
      // Repeated keys are detected below, with their place, in time proportional to the text.
      uniqueKeys: false,
    });
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function ofTheWhole(what: string): YamlProblem {
  return { path: [], position: null, what };
}

function refusal(...problems: readonly YamlProblem[]): YamlText {
  return { value: null, problems, lineOf: () => null, linesOf: () => null };
}

function sayWhat(code: string): string {
  return MEANINGS.get(code) ?? code.toLowerCase().replaceAll('_', ' ');
}

/** The parser reports some problems twice for one place. */
function distinct<T>(problems: readonly T[]): readonly T[] {
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
}

/** Converts nodes to plain values, and adds problems for forbidden ones. */
class PlainReader {
  readonly problems: { readonly path: Path; readonly offset: number; readonly what: string }[] = [];
  readonly #bounds: YamlBounds | undefined;

  constructor(bounds: YamlBounds | undefined) {
    this.#bounds = bounds;
  }

  read(node: Node | null, path: Path): JsonValue {
    if (node === null) return null;
    const what = this.#notPlain(node, path.length);
    if (what !== null) return this.#refuse(node, path, what);
    // Any other scalar is text, or a value of the core schema.
    if (isScalar(node)) return node.value as JsonValue;
    if (isMap<Node, Node | null>(node)) return this.#object(node.items, path);
    return isSeq<Node | null>(node) ? node.items.map((item, index) => this.read(item, [...path, index])) : null;
  }

  #object(pairs: readonly Pair<Node | null, Node | null>[], path: Path): JsonValue {
    const object: { [member: string]: JsonValue } = Object.create(null);
    for (const { key, value } of pairs) {
      const name = key === null ? '' : this.read(key, path);
      // It was rejected already: keys must be texts.
      if (typeof name !== 'string') continue;
      const place = [...path, name];
      if (this.#bounds !== undefined && KEYS_WITH_A_MEANING.has(name)) {
        this.#refuse(key, place, 'this key is not allowed');
      } else if (Object.hasOwn(object, name)) this.#refuse(key, place, 'this key appears twice');
      else object[name] = this.read(value, place);
    }
    return object;
  }

  #notPlain(node: Node, depth: number): string | null {
    if (isAlias(node)) return 'aliases (*name) are not read';
    if (this.#bounds === undefined) return null;
    if (node.anchor !== undefined) return 'anchors are not allowed';
    if (node.tag !== undefined) return 'tags are not allowed';
    if (isScalar(node)) return isJson(node.value) ? null : 'is not text, a finite number, a boolean or null';
    return depth < this.#bounds.depth ? null : `nested deeper than ${this.#bounds.depth} levels`;
  }

  #refuse(node: Node | null, path: Path, what: string): null {
    this.problems.push({ path, offset: startOf(node), what });
    return null;
  }
}

function isJson(value: unknown): boolean {
  return value === null || ['boolean', 'string'].includes(typeof value) || Number.isFinite(value);
}

/** Offset of the key of a place, or of the item; or of the innermost existing parent. */
function offsetOf(contents: Node | null, path: Path): number | null {
  let node: unknown = contents;
  let offset: number | null = null;
  for (const step of path) {
    const pair = isMap(node) ? node.items.find(({ key }) => isScalar(key) && key.value === step) : undefined;
    const next = isSeq(node) ? node.items[Number(step)] : pair?.key;
    if (!isNode(next)) return offset;
    offset = startOf(next);
    node = pair === undefined ? next : pair.value;
  }
  return offset;
}

/** Offsets of the first and the last character of a member or item, with its name. */
function extentOf(contents: Node | null, path: Path): readonly [first: number, last: number] | null {
  let node = contents;
  let first = 0;
  for (const step of path) {
    const pair = isMap(node) ? node.items.find(({ key }) => isScalar(key) && key.value === step) : undefined;
    const next = isSeq(node) ? node.items[Number(step)] : pair?.value;
    const start = pair === undefined ? next : pair.key;
    if (!isNode(next) || !isNode(start)) return null;
    first = startOf(start);
    node = next;
  }
  return [first, Math.max(first, (node?.range?.[1] ?? 0) - 1)];
}

/** Every node of a parsed text has a range; an empty text has no node. */
function startOf(node: Node | null): number {
  return node?.range?.[0] ?? 0;
}

function hasMoreTokens(text: string, most: number): boolean {
  let count = 0;
  for (const _ of new Lexer().lex(text)) if (++count > most) return true;
  return false;
}

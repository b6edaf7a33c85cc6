/** The first position where a text is not JSON (RFC 8259), with the fault. */
export interface JsonFault {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units. */
  readonly column: number;
  /** Lower case, without period. The text is not repeated: it may contain secrets. */
  readonly what: string;
}

type Expected = 'value' | 'value or ]' | 'name' | 'name or }' | 'colon' | 'comma or end' | 'nothing';

const MEANINGS: { readonly [expected in Expected]: string } = {
  value: 'a value is expected',
  'value or ]': 'a value or ] is expected',
  name: 'a name in double quotes is expected',
  'name or }': 'a name in double quotes or } is expected',
  colon: 'a colon is expected after a name',
  'comma or end': 'a comma or the closing bracket is expected',
  nothing: 'nothing is expected after the value',
};

const BLANK = /[ \n\r\t]*/y;
const TOKEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids control characters in a string
  /"(?:[^"\\\0-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null|[{}[\],:]/y;

/**
 * Returns the first fault of a text; null if it is JSON. Node's own messages differ between versions,
 * and have no position for a short text.
 */
export function jsonFault(text: string): JsonFault | null {
  const open: Opening[] = [];
  let expected: Expected = 'value';
  let isAfterComma = false;
  for (let position = endOf(BLANK, text, 0); ; ) {
    const end = endOf(TOKEN, text, position);
    const token = text.slice(position, end);
    if (token === '' && position === text.length && expected === 'nothing') return null;
    const next: Expected | null = token === '' ? null : following(token, expected, open);
    if (next === null)
      return { ...lineAndColumn(text, position), what: whatIsWrong(text[position], expected, isAfterComma) };
    expected = next;
    isAfterComma = token === ',';
    position = endOf(BLANK, text, end);
  }
}

type Opening = '{' | '[';

/** The expectation after a token; null if the token is not allowed there. */
function following(token: string, expected: Expected, open: Opening[]): Expected | null {
  switch (token) {
    case '}':
      return expected === 'name or }' || expected === 'comma or end' ? closed('{', open) : null;
    case ']':
      return expected === 'value or ]' || expected === 'comma or end' ? closed('[', open) : null;
    case ',':
      return expected === 'comma or end' ? afterComma(open) : null;
    case ':':
      return expected === 'colon' ? 'value' : null;
    default:
      return afterText(token, expected, open);
  }
}

function closed(opening: Opening, open: Opening[]): Expected | null {
  return open.pop() === opening ? afterValue(open) : null;
}

function afterComma(open: readonly Opening[]): Expected {
  return open.at(-1) === '{' ? 'name' : 'value';
}

function afterValue(open: readonly Opening[]): Expected {
  return open.length === 0 ? 'nothing' : 'comma or end';
}

/** The expectation after a name, a value or an opening bracket. */
function afterText(token: string, expected: Expected, open: Opening[]): Expected | null {
  if (expected === 'name' || expected === 'name or }') return token.startsWith('"') ? 'colon' : null;
  if (expected !== 'value' && expected !== 'value or ]') return null;
  if (token !== '{' && token !== '[') return afterValue(open);
  open.push(token);
  return token === '{' ? 'name or }' : 'value or ]';
}

function whatIsWrong(character: string | undefined, expected: Expected, isAfterComma: boolean): string {
  if (character === undefined) return 'the text ends too early';
  if (isAfterComma && (character === '}' || character === ']')) return `there is a comma too many before ${character}`;
  const takesText = expected.startsWith('value') || expected.startsWith('name');
  if (character === '"' && takesText) return 'a text has no end, or has a line end, tab or unknown escape in it';
  return MEANINGS[expected];
}

function lineAndColumn(text: string, position: number): { readonly line: number; readonly column: number } {
  const lines = text.slice(0, position).split(/\r\n|\r|\n/);
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
}

/** The end of a match at a position; the position itself if there is none. */
function endOf(pattern: RegExp, text: string, position: number): number {
  pattern.lastIndex = position;
  return pattern.test(text) ? pattern.lastIndex : position;
}

/** Fits into the narrowest of usual terminals, which would else break lines in the middle of words. */
const WIDTH = 80;

/** Room for text that is left however deep a line stands. */
const LEAST = 24;

/**
 * Lines of at most 80 characters, the first indented by `indent` spaces and the others by `hanging`. Lines break at
 * spaces; what has none, as a digest, is cut.
 *
 * @param label in front of the first line, never alone on it
 */
export function wrappedLines(text: string, indent: number, hanging = indent + 2, label = ''): readonly string[] {
  const lines: string[] = [];
  let line = `${' '.repeat(indent)}${label}`;
  let isEmpty = true;
  const room = () => Math.max(WIDTH, hanging + LEAST) - line.length;
  const next = () => {
    lines.push(line);
    line = ' '.repeat(hanging);
    isEmpty = true;
  };
  for (const word of text.split(' ')) {
    if (!isEmpty && word.length >= room()) next();
    let rest = isEmpty ? word : ` ${word}`;
    while (rest.length > room()) {
      const length = room();
      line += rest.slice(0, length);
      rest = rest.slice(length);
      next();
    }
    line += rest;
    isEmpty = false;
  }
  return [...lines, line];
}

/** Below `expected  24` the text goes on below the 24. */
export function labelledLines(label: string, text: string, indent: number): readonly string[] {
  return wrappedLines(text, indent, indent + LABEL_WIDTH, label.padEnd(LABEL_WIDTH));
}

const LABEL_WIDTH = 10;

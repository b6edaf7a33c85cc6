/** The width of narrow terminals, which would otherwise break lines inside words. */
const WIDTH = 80;

/** Least width for text, at any indentation. */
const LEAST = 24;

/**
 * Wraps text to lines of at most 80 characters, the first indented by `indent` spaces and the others by `hanging`. Lines break at
 * spaces; a longer word, such as a digest, is cut.
 *
 * @param label before the first line, never alone on it
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

/** Puts further lines below the text of the first, not below its label. */
export function labelledLines(label: string, text: string, indent: number): readonly string[] {
  return wrappedLines(text, indent, indent + LABEL_WIDTH, label.padEnd(LABEL_WIDTH));
}

const LABEL_WIDTH = 10;

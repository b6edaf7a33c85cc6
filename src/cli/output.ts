import { styleText } from 'node:util';

type Format = Parameters<typeof styleText>[0];

/** Where a command writes, and how. */
export interface Output {
  /** A table on a terminal; JSON otherwise, and with `--json`. */
  readonly asTable: boolean;
  /** Whether a table may have colours. */
  readonly inColour: boolean;
  write(text: string): void;
}

/** Colours text where it may be: Node 20 asks neither for a terminal nor for NO_COLOR, later versions ask both by themselves. */
export function styledFor({ inColour }: Pick<Output, 'inColour'>): (format: Format, text: string) => string {
  return (format, text) => (inColour ? styleText(format, text, { validateStream: false }) : text);
}

/** Whether text for this stream may have colours (no-color.org: any value but the empty one forbids them). */
export function mayColour(stream: { readonly isTTY?: boolean }, environment: NodeJS.ProcessEnv): boolean {
  return stream.isTTY === true && (environment['NO_COLOR'] ?? '') === '' && environment['TERM'] !== 'dumb';
}

import { styleText } from 'node:util';
import type { Outcome } from '../core/decision.js';
import type { JsonValue } from '../core/json.js';
import type { Log } from '../core/ports.js';
import type { Schemas } from '../wire/schema-check.js';

type Format = Parameters<typeof styleText>[0];

/** Where a command writes, and how. */
export interface Output {
  /** A table on a terminal; JSON otherwise, and with `--json`. */
  readonly asTable: boolean;
  /** Whether a table may have colours. */
  readonly inColour: boolean;
  write(text: string): void;
}

/** Styles text if colours are allowed. Node 20 checks neither terminal nor NO_COLOR, later versions check both themselves. */
export function styledFor({ inColour }: Pick<Output, 'inColour'>): (format: Format, text: string) => string {
  return (format, text) => (inColour ? styleText(format, text, { validateStream: false }) : text);
}

/** Whether text for this stream may have colours (no-color.org: any value but the empty one forbids them). */
export function mayColour(stream: { readonly isTTY?: boolean }, environment: NodeJS.ProcessEnv): boolean {
  return stream.isTTY === true && (environment['NO_COLOR'] ?? '') === '' && environment['TERM'] !== 'dumb';
}

/** Exit codes of the command line: part of the contract, since scripts use nothing else. */
export const EXIT_CODE: Readonly<Record<Outcome | 'usage', number>> = { allow: 0, usage: 1, deny: 2, indeterminate: 3 };

export const OUTCOME_COLOUR = { allow: 'green', deny: 'red', indeterminate: 'yellow' } as const;

type Result = Schemas['Check']['result'];

export const RESULT_COLOUR: { readonly [result in Result]: 'green' | 'red' | 'yellow' | 'gray' } = {
  pass: 'green',
  fail: 'red',
  warn: 'yellow',
  unavailable: 'yellow',
  skipped: 'gray',
  not_configured: 'gray',
};

/** Escapes text for a terminal: characters that could move its cursor, change its colours or turn its lines. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (sign) =>
    Array.from(
      { length: sign.length },
      (_, index) => `\\u${sign.charCodeAt(index).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
}

/** Escapes every text in a JSON value in this way. */
export function printableTexts<T>(value: T): T {
  return JSON.parse(JSON.stringify(value), (_, member) => (typeof member === 'string' ? printable(member) : member));
}

/** Standard output is for the answer. Messages contain file names, which are untrusted. */
export function warnOnStderr(message: string): void {
  process.stderr.write(`warning: ${printable(message)}\n`);
}

/**
 * Escapes a line for the log of a pipeline, which executes commands in it: `##` anywhere in a line (Azure DevOps, GitHub), and
 * `::` at its beginning (GitHub). JSON parsers read the escapes as the original characters.
 */
export function withoutCommands(line: string): string {
  return line.replaceAll('##', '#\\u0023').replace(/^(\s*):(?=:)/, '$1\\u003a');
}

/** Formats a value for a terminal: texts unchanged, other values as JSON. */
export function shownValue(value: JsonValue | undefined): string {
  return printable(typeof value === 'string' ? value : JSON.stringify(value ?? null));
}

/** Members of a record with its subject and its reason. Only these are shown: the whole record is for a log. */
const SHOWN = ['key', 'policy', 'pointer', 'name', 'file', 'folder', 'host', 'origin', 'issuer', 'code', 'why'];

/** The log of a command as text: warnings and errors, one line each, held back until the answer is written. */
export class Notes implements Log {
  readonly #lines: string[] = [];

  info(): void {}

  debug(): void {}

  warn(fields: object, message: string): void {
    this.#note('warning', fields, message);
  }

  error(fields: object, message: string): void {
    this.#note('error', fields, message);
  }

  /** Writes the buffered output. */
  release(write: (text: string) => void): void {
    for (const line of this.#lines.splice(0)) write(`${line}\n`);
  }

  #note(level: string, fields: object, message: string): void {
    const about = Object.entries(fields).flatMap(([name, value]) =>
      SHOWN.includes(name) && typeof value === 'string' ? [`${name} ${value}`] : [],
    );
    this.#lines.push(printable(`${level}: ${message}${about.length === 0 ? '' : ` (${about.join(', ')})`}`));
  }
}

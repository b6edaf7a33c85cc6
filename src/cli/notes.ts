import type { Log } from '../model/ports.js';
import { printable } from './printable.js';

/** Members of a record that name what it is about, and why. No other is shown: the whole of it is for a log. */
const SHOWN = ['key', 'name', 'file', 'folder', 'host', 'origin', 'issuer', 'code', 'why'];

/** The log of a command for people: warnings and errors in one line each, held back until the answer is there. */
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

  /** Writes what was held back. */
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

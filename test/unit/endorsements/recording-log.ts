import type { Log } from '../../../src/core/ports.js';

interface Entry {
  readonly level: 'info' | 'warn' | 'error' | 'debug';
  readonly message: string;
  readonly fields: object;
}

/** Keeps what is logged. */
export class RecordingLog implements Log {
  readonly entries: Entry[] = [];

  info(fields: object, message: string): void {
    this.entries.push({ level: 'info', message, fields });
  }

  warn(fields: object, message: string): void {
    this.entries.push({ level: 'warn', message, fields });
  }

  error(fields: object, message: string): void {
    this.entries.push({ level: 'error', message, fields });
  }

  debug(fields: object, message: string): void {
    this.entries.push({ level: 'debug', message, fields });
  }

  /** Fields of the entries with this message. */
  of(message: RegExp): readonly object[] {
    return this.entries.filter((entry) => message.test(entry.message)).map(({ fields }) => fields);
  }
}

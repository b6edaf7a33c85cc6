import { appendFile } from 'node:fs/promises';
import type { LogRecord } from '../core/decision-log.js';
import { FaultLog } from '../core/fault-log.js';
import type { Log } from '../core/ports.js';
import { recordLine } from './record-lines.js';

const MESSAGES = {
  begun: 'the copy of the decision log cannot be written: the store has what is missing in it',
  over: 'the copy of the decision log is written again',
};

/** Only the account of the service may read it. */
const FILE_MODE = 0o600;

/** Most bytes that wait to be written. Further records are left out of the copy. */
const WAITING_BYTES = 16 * 1024 * 1024;

/** Copies each stored record as a line to a file beside the store. No request waits for it. */
export class RecordCopy {
  readonly #write: (lines: string) => Promise<void>;
  readonly #faults: FaultLog;
  #waiting = '';
  #writing: Promise<void> | null = null;

  constructor(write: (lines: string) => Promise<void>, log: Log) {
    this.#write = write;
    this.#faults = new FaultLog(log, MESSAGES);
  }

  /** Appends to a file, which is opened for each write, so that it can be rotated. */
  static toFile(path: string, log: Log): RecordCopy {
    return new RecordCopy((lines) => appendFile(path, lines, { mode: FILE_MODE }), log);
  }

  add(records: readonly LogRecord[]): void {
    if (this.#waiting.length > WAITING_BYTES) {
      this.#faults.begun('copy', {}, { why: 'it is written more slowly than decisions are made' });
      return;
    }
    this.#waiting += records.map(recordLine).join('');
    this.#writing ??= this.#writeAll();
  }

  /** Resolves once all writes have succeeded or failed. */
  async close(): Promise<void> {
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting !== '') {
      const lines = this.#waiting;
      this.#waiting = '';
      try {
        await this.#write(lines);
        this.#faults.over('copy');
      } catch (error) {
        this.#faults.begun('copy', {}, { err: error });
      }
    }
    this.#writing = null;
  }
}

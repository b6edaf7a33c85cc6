import type { LintProblem } from '../../core/lint-problem.js';
import type { Log } from '../../core/ports.js';

/** Text fields of a log record that identify its subject. */
export type RecordFields = Readonly<Record<string, string | undefined>>;

/** Collects the warnings and errors that a start of the service would log. */
export class ProblemLog implements Log {
  readonly problems: LintProblem[] = [];
  readonly #problemOf: (severity: 'error' | 'warning', fields: RecordFields, message: string) => LintProblem;

  constructor(problemOf: (severity: 'error' | 'warning', fields: RecordFields, message: string) => LintProblem) {
    this.#problemOf = problemOf;
  }

  info(): void {}

  debug(): void {}

  warn(fields: object, message: string): void {
    this.#note('warning', fields, message);
  }

  error(fields: object, message: string): void {
    this.#note('error', fields, message);
  }

  #note(severity: 'error' | 'warning', fields: object, message: string): void {
    const texts = Object.entries(fields).filter(([, value]) => typeof value === 'string');
    this.problems.push(this.#problemOf(severity, Object.fromEntries(texts), message));
  }
}

/** For a ProblemLog whose reader must log nothing. */
export function unlogged(_severity: unknown, _fields: unknown, message: string): never {
  throw new Error(`logged while a configuration is checked: ${message}`);
}

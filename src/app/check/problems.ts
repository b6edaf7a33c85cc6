import { type ConfigurationProblemCode, configurationProblem } from '../../config/configuration-problem.js';
import { ConfigurationError } from '../../core/errors.js';
import type { LintProblem } from '../../core/lint-problem.js';
import type { PlacedProblem } from '../../core/places.js';

/** Collects the problems that a check finds, each once. */
export class Problems {
  readonly #problems = new Map<string, LintProblem>();

  add(problems: readonly LintProblem[]): void {
    for (const problem of problems) this.#problems.set(JSON.stringify(problem), problem);
  }

  /** Adds problems of the configuration under one code. */
  place(code: ConfigurationProblemCode, problems: readonly PlacedProblem[]): void {
    this.add(problems.map((problem) => configurationProblem(code, problem)));
  }

  /** Returns the value, or undefined if reading it throws a ConfigurationError, which is added. */
  async of<T>(code: ConfigurationProblemCode, read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      this.place(code, error.placed);
      return undefined;
    }
  }

  /** Errors first. */
  list(): readonly LintProblem[] {
    const all = [...this.#problems.values()];
    const are = (severity: LintProblem['severity']) => all.filter((problem) => problem.severity === severity);
    return [...are('error'), ...are('warning')];
  }
}

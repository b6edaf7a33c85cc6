/** Maximum number of parts that all rules of one appraisal may evaluate. Long texts count more than once. */
export const MOST_STEPS = 50_000;

/** Characters that are compared or searched, or list items that are read, per step. */
export const [CHARACTERS_A_STEP, ITEMS_A_STEP] = [32, 8];

/** The limit of the rules of one appraisal, in steps, so that no policy blocks the service. */
export class RuleBudget {
  #left: number;

  constructor(most = MOST_STEPS) {
    this.#left = most;
  }

  /** @returns whether the budget has these steps left */
  spend(steps: number): boolean {
    this.#left -= steps;
    return this.#left >= 0;
  }
}

/** Parts that all rules of one appraisal may evaluate together; long texts count more than once. */
export const MOST_STEPS = 50_000;

/** Characters of a text that are compared or searched, and items of a list that are read, for the price of one step. */
export const [CHARACTERS_A_STEP, ITEMS_A_STEP] = [32, 8];

/** The limit of the rules of one appraisal, in steps, so that no policy blocks the service. */
export class RuleBudget {
  #left: number;

  constructor(most = MOST_STEPS) {
    this.#left = most;
  }

  /** @returns whether the budget had these steps left */
  spend(steps: number): boolean {
    this.#left -= steps;
    return this.#left >= 0;
  }
}

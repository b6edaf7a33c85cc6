import type { NonceStanding } from '../core/challenge.js';
import type { ClockDoubt } from '../core/clock-doubt.js';
import type { EarlyCollateral } from '../core/early-collateral.js';
import type { EndorsementSet } from '../core/endorsement.js';
import type { SubmissionResult } from '../core/verification.js';
import type { RememberedResets } from '../core/vtpm-resets.js';
import { NO_WAITS, type Stage, type Waits } from './waits.js';

/**
 * The inputs that a decision depends on, by name, with the types of their values. They are plain values, so they can be
 * stored and the decision can be repeated with them.
 */
export interface Answers {
  readonly clock: ClockDoubt | null;
  /** The UTF-8 text of a policy, by id. */
  readonly policy: Uint8Array;
  readonly nonce: NonceStanding;
  /** By the requested endorsements. */
  readonly endorsements: EndorsementSet;
  /** Whether an issuer is an endpoint of a route. */
  readonly issues: boolean;
  /** Whether a route accepts this kind of evidence. */
  readonly accepts: boolean;
  /** By route. */
  readonly token: SubmissionResult;
  /** Reset counts of a vTPM, by AK thumbprint. */
  readonly remembered: RememberedResets;
  readonly advanced: RememberedResets | null;
  readonly early: EarlyCollateral | null;
}

export type Question = keyof Answers;

/** One question and its answer. */
export interface Fact {
  readonly what: Question;
  /** Distinguishes questions of the same kind. */
  readonly key: string;
  readonly answer: unknown;
}

export interface Inquiry {
  /** @param source gets the answer; called only if no stored answer exists */
  ask<Q extends Question>(what: Q, key: () => string, source: () => Promise<Answers[Q]>): Promise<Answers[Q]>;
  /** Synchronous form of `ask`. */
  look<Q extends Question>(what: Q, key: () => string, source: () => Answers[Q]): Answers[Q];
  /** Records a value from the configuration. @param answer called only if values are kept */
  note<Q extends Question>(what: Q, key: string, answer: () => Answers[Q]): void;
}

export const NO_KEY = () => '';

/** Stages that have a duration metric. */
const STAGES: { readonly [what in Question]?: Stage } = { nonce: 'challenge', endorsements: 'endorsements' };

/** Gets answers from the sources. Keeps each answer if the decision must be repeatable. */
export class LiveInquiry implements Inquiry {
  readonly #waits: Waits;
  readonly #facts: (Fact | null)[] | null;

  /** @param keeps whether answers are kept */
  constructor(waits: Waits = NO_WAITS, keeps = false) {
    this.#waits = waits;
    this.#facts = keeps ? [] : null;
  }

  /** In the order of the questions. Omits questions without an answer. */
  get facts(): readonly Fact[] {
    return (this.#facts ?? []).filter((fact) => fact !== null);
  }

  async ask<Q extends Question>(what: Q, key: () => string, source: () => Promise<Answers[Q]>): Promise<Answers[Q]> {
    const answered = this.#waits.elsewhere(STAGES[what] ?? null, source);
    if (this.#facts === null) return answered;
    // Reserves the place now: answers may arrive in another order than the questions.
    const place = this.#facts.push(null) - 1;
    const answer = await answered;
    this.#facts[place] = { what, key: key(), answer };
    return answer;
  }

  look<Q extends Question>(what: Q, key: () => string, source: () => Answers[Q]): Answers[Q] {
    const answer = source();
    this.#facts?.push({ what, key: key(), answer });
    return answer;
  }

  note<Q extends Question>(what: Q, key: string, answer: () => Answers[Q]): void {
    this.#facts?.push({ what, key, answer: answer() });
  }
}

/** The recorded answers lack one that this replay needs. */
export class NotAskedThenError extends Error {
  override readonly name = 'NotAskedThenError';
}

/** Returns kept answers, in the order of the questions. The last answer to a question is repeated. */
export class KeptInquiry implements Inquiry {
  readonly #answers = new Map<string, unknown[]>();
  readonly #current: Inquiry;
  readonly #isKept: (what: Question) => boolean;
  #notAsked: Question | null = null;

  /**
   * @param kept questions that are answered from the facts; defaults to all
   * @param waits for questions that go to the present sources
   */
  constructor(facts: readonly Fact[], kept?: ReadonlySet<Question>, waits?: Waits) {
    this.#isKept = (what) => kept?.has(what) !== false;
    this.#current = new LiveInquiry(waits);
    for (const { what, key, answer } of facts) {
      const name = `${what} ${key}`;
      const known = this.#answers.get(name);
      if (known === undefined) this.#answers.set(name, [answer]);
      else known.push(answer);
    }
  }

  /** The last question that no fact answers; null if each was answered. */
  get notAsked(): Question | null {
    return this.#notAsked;
  }

  async ask<Q extends Question>(what: Q, key: () => string, source: () => Promise<Answers[Q]>): Promise<Answers[Q]> {
    return this.#isKept(what) ? this.#next(what, key()) : this.#current.ask(what, key, source);
  }

  look<Q extends Question>(what: Q, key: () => string, source: () => Answers[Q]): Answers[Q] {
    return this.#isKept(what) ? this.#next(what, key()) : source();
  }

  note(): void {}

  #next<Q extends Question>(what: Q, key: string): Answers[Q] {
    const answers = this.#answers.get(`${what} ${key}`);
    if (answers === undefined || answers.length === 0) {
      this.#notAsked = what;
      throw new NotAskedThenError(`the recorded answers have none for ${what}`);
    }
    return (answers.length === 1 ? answers[0] : answers.shift()) as Answers[Q];
  }
}

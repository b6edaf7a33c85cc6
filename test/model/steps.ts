import fc from 'fast-check';

/** One random step: its kind, and two numbers that choose challenge, evidence and policy. */
export type Drawn = readonly [kind: number, which: number, how: number];

const RANGE = 2 ** 20;

export const drawnStep: fc.Arbitrary<Drawn> = fc.tuple(fc.nat(99), fc.nat(RANGE - 1), fc.nat(RANGE - 1));

/** Kinds of steps, with their shares in percent. Steps of a failing sequence shrink to the first kind. */
const SHARES = {
  issue: 27,
  verify: 28,
  release: 16,
  contest: 5,
  refuse: 3,
  reload: 5,
  refuseReload: 1,
  advance: 4,
  toggleStore: 2,
  refuseRecords: 3,
  look: 5,
  restart: 1,
} as const;

export type Kind = keyof typeof SHARES;

export function kindOf([kind]: Drawn): Kind {
  let left = kind;
  for (const [name, share] of Object.entries(SHARES)) {
    if (left < share) return name as Kind;
    left -= share;
  }
  throw new Error('the shares are not a hundred');
}

/** Takes small numbers from a drawn one. */
export class Draw {
  #left: number;

  constructor(drawn: number) {
    this.#left = drawn;
  }

  /** A number below the bound. */
  below(bound: number): number {
    const taken = this.#left % bound;
    this.#left = Math.floor(this.#left / bound);
    return taken;
  }

  /** Returns true with probability 1/`inTimes`. */
  once(inTimes: number): boolean {
    return this.below(inTimes) === inTimes - 1;
  }
}

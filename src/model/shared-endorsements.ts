/**
 * What replicas share of what they fetch: sealed entries, who fetches what, and turns. Nothing that a store answers is trusted:
 * entries are opened with a key that it does not have, and verified.
 */

/** What is wanted of a store. Ids are lower-case hex. */
export interface SharedQuestion {
  readonly id: string;
  /** First bytes of an entry that is of no use to whoever asks; `any`: no entry is. Null: every entry is. */
  readonly unwanted: Uint8Array | 'any' | null;
  /** How long the right to fetch lasts at most: nobody waits longer for a replica that died. */
  readonly leaseMs: number;
}

/** A question about what a server lets through seldom. */
export interface TurnQuestion extends Omit<SharedQuestion, 'leaseMs'> {
  /** In whose lines it stands, pseudonyms. At least one. */
  readonly principals: readonly string[];
}

/**
 * `entry`: there is one. `lead`: whoever asked has to fetch now, and says how that ended. `wait`: somebody else fetches it, or it is
 * not its turn; ask again after `ms`. `pauseMs` is left of the pause that the server asked for. `busy`: too many wait.
 */
export type SharedAnswer =
  | { readonly state: 'entry'; readonly bytes: Uint8Array }
  | { readonly state: 'lead'; readonly lease: Lease }
  | { readonly state: 'wait'; readonly ms: number; readonly pauseMs: number }
  | { readonly state: 'busy' };

/** The right to fetch. One that has ended is of no effect any more. */
export interface Lease {
  readonly id: string;
  /** The turn that it is part of; null where no turn was needed. */
  readonly lane: string | null;
  /** Tells it from a later one. */
  readonly token: string;
}

/** How fetching under a lease ended. */
export interface LeaseEnd {
  /** What is to be kept for all; null: nothing. */
  readonly entry: { readonly bytes: Uint8Array; readonly lifetimeMs: number } | null;
  /** The server wants to be left alone, by all questions of the lane: for so long, or null where it names no time. Null: it does not. */
  readonly throttled: { readonly retryAfterMs: number | null } | null;
}

/**
 * A store that replicas share.
 *
 * All methods reject where it is out of reach, or does not answer in time.
 */
export interface SharedStore {
  ask(question: SharedQuestion): Promise<SharedAnswer>;
  /**
   * The same for turns, which are fair by principal: all at once that one replica waits for.
   * @param lane the server: its turns are apart from those of others
   * @returns an answer for each question, in their order
   */
  askInTurn(lane: string, leaseMs: number, questions: readonly TurnQuestion[]): Promise<readonly SharedAnswer[]>;
  /** Gives a lease back. */
  end(lease: Lease, end: LeaseEnd): Promise<void>;
  /** Gives up a place in the lines, unless another replica has asked for it too. */
  withdraw(lane: string, place: Pick<TurnQuestion, 'id' | 'principals'>): Promise<void>;
}

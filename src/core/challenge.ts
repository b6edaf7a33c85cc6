/** The permitted use of a challenge. Null: any. */
export interface ChallengeScope {
  readonly tenant: string;
  readonly audience: string | null;
  readonly policy: string | null;
  readonly evidenceType: string | null;
}

/** The permitted use of a challenge, for callers of its tenant. */
export type ChallengePurpose = Omit<ChallengeScope, 'tenant'>;

/** Issue and expiry of a challenge: whole seconds of the wall clock of the service. */
export interface ChallengePeriod {
  readonly issuedAt: Date;
  readonly expiresAt: Date;
}

/** The result of consuming a challenge. */
export type ConsumeResult = {
  /** Present if the scopes were compared, and the challenge belongs to the caller's tenant. */
  readonly purpose?: ChallengePurpose;
} & (
  | {
      readonly state: 'consumed';
      /** Whole seconds. */
      readonly issuedAt: Date;
    }
  /** `lostUntil`: the store may have lost records of challenges that expire by then. It never had a record of later ones. */
  | { readonly state: 'unknown'; readonly lostUntil: Date }
  /** `expired`: by the counter of its lifetime, independent of the wall clock. */
  | { readonly state: 'used' | 'expired' | 'scope' }
);

/** Records of challenges. Consuming is one atomic step, and marks the record, which is kept until its expiry. */
export interface ChallengeStore {
  /** Whether the store is reachable, as far as that is known without a call. */
  readonly isReachable: boolean;
  /**
   * @param givenUp aborts once the caller no longer waits: an operation that has not begun by then is skipped
   * @throws {RefusedError} `overloaded` if the store is full
   * @throws {Error} if the store is unreachable
   */
  put(id: string, scope: ChallengeScope, period: ChallengePeriod, givenUp?: AbortSignal): Promise<void>;
  /**
   * @param givenUp as in `put`
   * @throws {VoidChallengeError} if the record may be from before a use
   * @throws {Error} if the store is unreachable
   */
  consume(id: string, scope: ConsumedScope, givenUp?: AbortSignal): Promise<ConsumeResult>;
  close(): Promise<void>;
}

/** The request that uses a challenge: all its policies must fit the scope. */
export interface ConsumedScope {
  readonly tenant: string;
  readonly audience: string | null;
  readonly policies: readonly string[];
  readonly evidenceType: string;
}

/**
 * The origin of a request's nonce.
 * `caller`: chosen by the caller. Others: bytes whose MAC shows that this service made them.
 */
export type NonceStanding =
  | { readonly origin: 'none' | 'caller' }
  | ({
      readonly origin: 'challenge';
      /** Present if the scopes were compared, and the challenge belongs to the caller's tenant. */
      readonly scopes?: ComparedScopes;
    } & (
      | {
          readonly state: 'consumed';
          /** When it was issued, whole seconds. */
          readonly issuedAt: Date;
        }
      | { readonly state: 'used' | 'expired' | 'scope' | 'store_unavailable' | 'not_consumed' }
    ));

/** The scope of a challenge, and the request with it. */
export interface ComparedScopes {
  readonly purpose: ChallengePurpose;
  readonly asked: ConsumedScope;
}

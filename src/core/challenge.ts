/** The permitted use of a challenge. Null: any. */
export interface ChallengeScope {
  readonly tenant: string;
  readonly audience: string | null;
  readonly policy: string | null;
  readonly evidenceType: string | null;
}

/** The permitted use of a challenge, as its own tenant may see it. */
export type ChallengePurpose = Omit<ChallengeScope, 'tenant'>;

/** When a challenge was made, and until when it may be used: whole seconds of the wall clock of the service. */
export interface ChallengePeriod {
  readonly issuedAt: Date;
  readonly expiresAt: Date;
}

/** The result of consuming a challenge. */
export type ConsumeResult = {
  /** Where scopes were compared, and the challenge is not another tenant's. */
  readonly purpose?: ChallengePurpose;
} & (
  | {
      readonly state: 'consumed';
      /** Whole seconds. */
      readonly issuedAt: Date;
    }
  /** `lostUntil`: of challenges that end by then, the store may have lost the record. Of later ones it has never had one. */
  | { readonly state: 'unknown'; readonly lostUntil: Date }
  /** `expired`: whoever counts its lifetime says so, whatever the wall clock says. */
  | { readonly state: 'used' | 'expired' | 'scope' }
);

/** Records of challenges. Consuming is one atomic step, and marks the record, which is kept until its expiry. */
export interface ChallengeStore {
  /** Whether it can be asked at all, as far as that is known without asking. */
  readonly isReachable: boolean;
  /**
   * @param givenUp aborts once the caller no longer waits: an operation that has not begun by then is not done
   * @throws {RefusedError} `overloaded` when no further record fits
   * @throws {Error} when the store is out of reach
   */
  put(id: string, scope: ChallengeScope, period: ChallengePeriod, givenUp?: AbortSignal): Promise<void>;
  /**
   * @param givenUp as in `put`
   * @throws {VoidChallengeError} when the store has a record that may be from before a use
   * @throws {Error} when the store is out of reach
   */
  consume(id: string, scope: ConsumedScope, givenUp?: AbortSignal): Promise<ConsumeResult>;
  close(): Promise<void>;
}

/** The request that wants to use a challenge: all its policies must fit the scope. */
export interface ConsumedScope {
  readonly tenant: string;
  readonly audience: string | null;
  readonly policies: readonly string[];
  readonly evidenceType: string;
}

/**
 * Where the nonce of a request came from.
 * `caller`: the caller's own. Others: bytes whose MAC says that this service made them.
 */
export type NonceStanding =
  | { readonly origin: 'none' | 'caller' }
  | ({
      readonly origin: 'challenge';
      /** Where scopes were compared, and the challenge is not another tenant's. */
      readonly scopes?: ComparedScopes;
    } & (
      | {
          readonly state: 'consumed';
          /** When it was issued, whole seconds. */
          readonly issuedAt: Date;
        }
      | { readonly state: 'used' | 'expired' | 'scope' | 'store_unavailable' | 'not_consumed' }
    ));

/** The scope of a challenge, and the request that came with it. */
export interface ComparedScopes {
  readonly purpose: ChallengePurpose;
  readonly asked: ConsumedScope;
}

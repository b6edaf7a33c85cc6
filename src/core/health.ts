/** The reasons against traffic for a service, or for a restart of its process. */
export const HEALTH_CODES = ['starting', 'stopping', 'clock', 'nonce_store', 'policies'] as const;
export type HealthCode = (typeof HEALTH_CODES)[number];

/** Why a probe fails. */
export interface HealthProblem {
  /** For every sender of a probe. */
  readonly code: HealthCode;
  /** One sentence for the operator. Lower case, no period. */
  readonly reason: string;
}

/** Whether a process works, or needs a restart. */
export interface Liveness {
  readonly live: boolean;
  /** Empty if it is live. */
  readonly problems: readonly HealthProblem[];
}

/** Whether a service should get traffic. */
export interface Readiness {
  readonly ready: boolean;
  /** Empty if it is ready. */
  readonly problems: readonly HealthProblem[];
}

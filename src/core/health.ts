/** The reasons against traffic for a service, or against its process going on. */
export const HEALTH_CODES = ['starting', 'stopping', 'clock', 'nonce_store', 'policies'] as const;
export type HealthCode = (typeof HEALTH_CODES)[number];

/** Why a probe fails. */
export interface HealthProblem {
  /** For everybody who may send a probe. */
  readonly code: HealthCode;
  /** One sentence for the operator. Lower case, no period. */
  readonly reason: string;
}

/** Whether a process works, or has to be restarted. */
export interface Liveness {
  readonly live: boolean;
  /** None where it is live. */
  readonly problems: readonly HealthProblem[];
}

/** Whether a service should get traffic. */
export interface Readiness {
  readonly ready: boolean;
  /** None where it is ready. */
  readonly problems: readonly HealthProblem[];
}

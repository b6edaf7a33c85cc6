import type { Caller } from '../model/caller.js';
import type { Decision } from '../model/decision.js';
import type { Evidence } from '../model/evidence.js';
import type { JsonObject } from '../model/json.js';
import type { ChallengeRequest, VerifyRequest } from '../model/request.js';

/** Judges evidence under policies. */
export interface VerifyEvidenceUseCase {
  /**
   * @throws {FormatError} where the evidence is malformed, a policy unknown, or `at` not enabled
   * @throws {RefusedError} `forbidden` where the caller may not use this policy, audience or verification time
   */
  execute(request: VerifyRequest, caller: Caller): Promise<Decision>;
}

/** Makes a nonce that this service recognises, once. */
export interface IssueChallengeUseCase {
  /**
   * @throws {FormatError} `policy_unknown`
   * @throws {RefusedError} `forbidden`; `clock` while the clock cannot be relied on; `overloaded` when no further
   *   challenge can be kept or the store is out of reach
   */
  execute(request: ChallengeRequest, caller: Caller): Promise<{ readonly nonce: Uint8Array; readonly expiresAt: Date }>;
}

/** Shows what evidence says, field by field. Verifies nothing. */
export interface InspectEvidenceUseCase {
  /** @throws {FormatError} where the evidence is malformed */
  execute(evidence: Evidence): JsonObject;
}

/** Whether the process is of use, or has to be started again. */
export interface LivenessUseCase {
  execute(): Promise<{ readonly live: boolean; readonly problems: readonly string[] }>;
}

/** Shows what a single structure says, which its bytes have to tell. Verifies nothing. */
export interface InspectRawUseCase {
  /** Names of the kinds that there are. */
  readonly understood: readonly string[];
  /** Names of the kinds that bytes look like: one, where nothing is ambiguous. */
  recognise(bytes: Uint8Array): readonly string[];
  /** What makes bytes unreadable that could be read otherwise; null where nothing is known. */
  remark(bytes: Uint8Array): string | null;
  /** @throws {FormatError} where bytes that look like this kind are malformed */
  execute(bytes: Uint8Array, kind: string): JsonObject;
}

/** Whether the service should get traffic, and what stands against it. */
export interface ReadinessUseCase {
  execute(): Promise<{ readonly ready: boolean; readonly problems: readonly string[] }>;
}

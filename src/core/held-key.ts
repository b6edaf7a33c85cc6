import type { Decision } from './decision.js';
import type { JsonObject } from './json.js';
import type { ReleaseAttempt } from './key-release-record.js';
import type { ReleaseTerms, VerifyRequest } from './request.js';

/** A request for a key, and the decision that allows it. */
export interface AllowedRelease {
  readonly request: VerifyRequest;
  readonly decision: Decision;
  /** Principal of the caller, for fair turns at a vault. */
  readonly principal: string;
}

/** A released key, encrypted: only the holder of the bound key can decrypt it. */
export interface ReleasedValue {
  /** The vault's JWS, unchanged, or JWE in compact form. */
  readonly value: string;
  /** Version in the vault; null for a local key. */
  readonly keyVersion: string | null;
}

/** A configured key that can be released. */
export interface HeldKey {
  readonly kind: ReleaseTerms['kind'];
  /** Id of the policy that must allow. */
  readonly policy: string;
  readonly tenant: string;
  /** Whether the policy may pin neither code nor machine. */
  readonly anyMachine: boolean;
  /** @throws {FormatError} `schema` if the service cannot encrypt to such a key */
  requireFit(boundKey: JsonObject): void;
  /** Returns the record of an attempt, before it is made. */
  describe(allowed: AllowedRelease): ReleaseAttempt['key'];
  /**
   * @throws {ReleaseRefusedError} if the vault refuses, or its answer does not match the request
   * @throws {ReleaseUnavailableError}
   */
  release(allowed: AllowedRelease, signal: AbortSignal): Promise<ReleasedValue>;
}

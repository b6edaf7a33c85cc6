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

/** A key as it is handed out: nobody but the holder of the bound key opens it. */
export interface ReleasedValue {
  /** JWS of a vault as it came, or JWE in compact form. */
  readonly value: string;
  /** In the vault; null of a local key. */
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
  /** @throws {FormatError} `schema` where nothing is ever encrypted to such a key */
  requireFit(boundKey: JsonObject): void;
  /** The record of an attempt before it is made. */
  describe(allowed: AllowedRelease): ReleaseAttempt['key'];
  /**
   * @throws {ReleaseRefusedError} where the vault says no, or answers with something else than what was asked for
   * @throws {ReleaseUnavailableError}
   */
  release(allowed: AllowedRelease, signal: AbortSignal): Promise<ReleasedValue>;
}

import type { JsonValue } from '../json.js';

/**
 * Outcome of one check.
 *
 * - `pass`, `fail`: it ran. - `warn`: it ran, and its finding is tolerated but must be reported.
 * - `unavailable`: a required object was unreachable. - `skipped`: it depends on a check that failed.
 * - `not_configured`: neither policy nor configuration requests it. A check that did not run never counts as passed.
 */
export type CheckResult = 'pass' | 'fail' | 'warn' | 'skipped' | 'not_configured' | 'unavailable';

/** The result of any one check. */
export interface Finding {
  readonly result: CheckResult;
  /** JSON pointer into the request: the subject of the check. */
  readonly about: string;
  readonly expected: JsonValue;
  readonly actual: JsonValue;
  /** Id of the policy that owns the check, or changed its result; null for base checks. */
  readonly policy: string | null;
  /** The name of the missing object. Only the remedy shows it: it may come from unverified bytes. */
  readonly missing?: string;
  /** The deciding member of the policy or key of the configuration. Only the remedy shows it. */
  readonly setting?: string;
  /**
   * The exact fault if `expected` and `actual` do not show it: components, registers, attributes, each a few
   * words. Only the remedy shows them. They come from verified bytes, like the compared values.
   */
  readonly faults?: readonly string[];
  /** A specific remedy. One sentence, which replaces the remedy of the row. */
  readonly remedy?: string;
}

/**
 * Whether a check is about another verifier's token, instead of the evidence of the TEE itself. The certificates of a
 * token's key share their ids with those under a hardware report.
 */
export function isOfToken({ about }: Pick<Finding, 'about'>): boolean {
  return about === '/evidence/token' || about.startsWith('/attestationResults');
}

/** Claims of the trustworthiness vector (AR4SI, EAR). */
export const TRUST_CLAIMS = [
  'instance-identity',
  'configuration',
  'executables',
  'file-system',
  'hardware',
  'runtime-opaque',
  'storage-opaque',
  'sourced-data',
] as const;
export type TrustClaim = (typeof TRUST_CLAIMS)[number];
export type TrustValues = { readonly [claim in TrustClaim]?: number };

/** The submodule for the trust vector of a check: hardware, guest, or another verifier. */
export type TrustSubject = 'hardware' | 'guest' | 'token';

/** The remedy for a finding: one sentence, filled with the compared values of the check. */
export type FilledRemedy = (finding: Finding) => string;

/**
 * A statement that depends on several checks: if one of them does not pass, the statement is void.
 *
 * - `hardware`: chain and signature under the hardware report, the identity of the key, and the endorsements needed
 *   to verify them.
 * - `vtpm`: the links between runtime claims, AK, quote and PCR values.
 * - `token`: issuer, key and times of a token.
 */
export type Statement = 'hardware' | 'vtpm' | 'token';

export interface CheckRow {
  /** The fact that a pass establishes. One sentence as message: lower case, no period. */
  readonly holds: string;
  /** The sentence for any other result. */
  readonly fails: string;
  /** Deciding members of a policy, as paths in its grammar; `[]` for the items of a list. */
  readonly members?: readonly string[];
  readonly underlies?: Statement;
  /** Its effect on trust (AR4SI) if it does not pass. */
  readonly trust?: { readonly [subject in TrustSubject]?: TrustValues };
  /**
   * The member of a policy that turns its findings into a warning. `revocation: best-effort` tolerates neither a revoked
   * key nor a CRL older than a known one; `allowDebug` does not change another verifier's statement about debug.
   */
  readonly relaxedBy?: 'allowDebug' | 'revocation';
  /** Whether a waiver can name it, and the required value of the waiver: none, a floor, or a TCB status. */
  readonly waiver?: 'plain' | 'floor' | 'status';
}

/** Checks by id, most important first. */
export interface CheckRows {
  readonly [id: string]: CheckRow;
}

/** The remedy for each check of a table: for the operator, the guest's owner or the caller. */
export type RemediesOf<Rows> = { readonly [id in keyof Rows]: string | FilledRemedy };

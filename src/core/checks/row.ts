import type { JsonValue } from '../json.js';

/**
 * Outcome of one check.
 *
 * - `pass`, `fail`: it ran. - `warn`: it ran, and what it found is tolerated but has to be said.
 * - `unavailable`: something it needs was out of reach. - `skipped`: it rests on a check that failed.
 * - `not_configured`: nobody asked for it. A check that did not run never counts as passed.
 */
export type CheckResult = 'pass' | 'fail' | 'warn' | 'skipped' | 'not_configured' | 'unavailable';

/** The result of one check, whichever check it is. */
export interface Finding {
  readonly result: CheckResult;
  /** JSON pointer into the request: what the check speaks about. */
  readonly about: string;
  readonly expected: JsonValue;
  readonly actual: JsonValue;
  /** Id of the policy whose check this is, or that changed its result; null for base checks. */
  readonly policy: string | null;
  /** The name of the missing object. Only the remedy names it: nothing need have verified where the name is from. */
  readonly missing?: string;
  /** The member of the policy, or the key of the configuration, that decided. Only the remedy names it. */
  readonly setting?: string;
  /**
   * The exact fault where `expected` and `actual` do not say it: components, registers, attributes, each a few
   * words. Only the remedy names them. Of verified bytes, as the compared values are.
   */
  readonly faults?: readonly string[];
  /** The remedy that only the maker of the check knows. One sentence, in the place of the one of the row. */
  readonly remedy?: string;
}

/**
 * Whether a check is about another verifier's token, and not about the evidence of the TEE itself. The certificates of a
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

/** The submodule of the trust vector of a check: the hardware's, the guest's, or another verifier's. */
export type TrustSubject = 'hardware' | 'guest' | 'token';

/** The remedy for a finding: one sentence, filled with the values that the check compared. */
export type FilledRemedy = (finding: Finding) => string;

/**
 * A statement that rests on several checks: where one of them does not pass, nothing is left of it.
 *
 * - `hardware`: chain and signature under the hardware report, that the key is the one that it names, and what is needed
 *   to judge any of that.
 * - `vtpm`: what ties runtime claims, AK, quote and PCR values together.
 * - `token`: who issued a token, with which key, and when.
 */
export type Statement = 'hardware' | 'vtpm' | 'token';

export interface CheckRow {
  /** The fact that it establishes if it passes. One sentence for people: lower case, no period. */
  readonly holds: string;
  /** The sentence if it does not. */
  readonly fails: string;
  /** Members of a policy that decide about it, as paths in its grammar; `[]` for the items of a list. */
  readonly members?: readonly string[];
  readonly underlies?: Statement;
  /** Its effect on trust (AR4SI) if it does not pass. */
  readonly trust?: { readonly [subject in TrustSubject]?: TrustValues };
  /**
   * The member of a policy that turns what it finds into a warning. `revocation: best-effort` tolerates neither a revoked
   * key nor a CRL older than one already seen; `allowDebug` does not change another verifier's word on debug.
   */
  readonly relaxedBy?: 'allowDebug' | 'revocation';
  /** Whether a waiver can name it, and what the value of the waiver has to say: nothing, a floor, or a TCB status. */
  readonly waiver?: 'plain' | 'floor' | 'status';
}

/** Checks by id, most important first. */
export interface CheckRows {
  readonly [id: string]: CheckRow;
}

/** The remedy of each check of a table where it does not pass: for the operator, the guest's owner or the caller. */
export type RemediesOf<Rows> = { readonly [id in keyof Rows]: string | FilledRemedy };

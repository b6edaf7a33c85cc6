/**
 * Predicts decision and reasons of each request. Imports nothing from src, so it cannot share its faults. All evidence is of one
 * machine.
 */

export type EvidenceType = 'snp' | 'az-snp-vtpm';

export interface ModelPolicy {
  readonly accepts: readonly EvidenceType[];
  readonly nonce: 'any' | 'challenge';
  readonly freshness: 'none' | 'required';
  readonly binding: 'optional' | 'required';
  readonly allowDebug: boolean;
  /** Lowest version of the microcode. */
  readonly microcode: number;
  /** Measurements in hex; empty: any. */
  readonly measurements: readonly string[];
}

export interface ModelEvidence {
  readonly type: EvidenceType;
  readonly isSigned: boolean;
  readonly isDebug: boolean;
  readonly microcode: number;
  readonly measurement: string;
  /** Whether it is bound to the nonce and the key of the request. */
  readonly isBound: boolean;
}

/** `challenge`: the number of one that was issued; `own`: 32 bytes of the caller. */
type ModelNonce = { readonly challenge: number } | 'own' | 'none';

export interface ModelRequest {
  readonly policy: string;
  readonly evidence: ModelEvidence;
  readonly nonce: ModelNonce;
  readonly hasKey: boolean;
}

export interface Verdict {
  readonly decision: 'allow' | 'deny' | 'indeterminate';
  /** In alphabetical order. */
  readonly reasons: readonly string[];
}

interface ModelChallenge {
  readonly expiresAt: number;
  /** The start of the service that issued it. */
  readonly start: number;
  isUsed: boolean;
}

const UNDECIDED: readonly string[] = ['nonce_store', 'audit_unavailable'];

export class ServiceModel {
  readonly policies: Map<string, ModelPolicy>;
  readonly challenges: ModelChallenge[] = [];
  readonly #lifetimeSeconds: number;
  #seconds = 0;
  #starts = 0;
  isStoreGone = false;
  /** Whether the store refuses a record of a release. */
  refusesReleases = false;

  constructor(policies: Readonly<Record<string, ModelPolicy>>, lifetimeSeconds: number) {
    this.policies = new Map(Object.entries(policies));
    this.#lifetimeSeconds = lifetimeSeconds;
  }

  advance(seconds: number): void {
    this.#seconds += seconds;
  }

  restart(): void {
    this.#starts += 1;
  }

  /** @returns whether one is issued */
  issue(): boolean {
    if (this.isStoreGone) return false;
    this.challenges.push({ expiresAt: this.#seconds + this.#lifetimeSeconds, start: this.#starts, isUsed: false });
    return true;
  }

  /** The answer to a request, which uses up its challenge. */
  verify(request: ModelRequest): Verdict {
    const { policy: id, evidence, nonce } = request;
    const policy = this.policies.get(id);
    if (policy === undefined) throw new Error(`the model has no policy ${id}`);
    const reasons = [
      ...(typeof nonce === 'string' ? [] : this.#ofChallenge(nonce.challenge)),
      ...failing(VERIFIED, request, policy),
      ...(policy.accepts.includes(evidence.type) ? failing(APPRAISED, request, policy) : []),
    ];
    return this.#recorded(verdictOf(reasons));
  }

  /** The answer to a request for a key. A key whose release cannot be recorded is withheld. */
  release(request: ModelRequest): Verdict {
    const verdict = this.verify(request);
    return verdict.decision === 'allow' && this.refusesReleases ? verdictOf(['audit_unavailable']) : verdict;
  }

  #ofChallenge(number: number): readonly string[] {
    const challenge = this.challenges[number];
    if (challenge === undefined) throw new Error(`the model has no challenge ${number}`);
    if (challenge.expiresAt <= this.#seconds) return ['nonce_expired'];
    if (this.isStoreGone) return ['nonce_store'];
    if (challenge.isUsed) return ['nonce_used'];
    if (challenge.start !== this.#starts) return ['nonce_store'];
    challenge.isUsed = true;
    return [];
  }

  /** An allow that cannot be stored is withheld. */
  #recorded(verdict: Verdict): Verdict {
    if (!this.isStoreGone) return verdict;
    return verdictOf([...verdict.reasons, 'audit_unavailable']);
  }
}

type Fails = (request: Omit<ModelRequest, 'policy'>, policy: ModelPolicy) => boolean;

/** Checks under every policy. */
const VERIFIED: Readonly<Record<string, Fails>> = {
  snp_signature: ({ evidence }) => !evidence.isSigned,
  nonce_mismatch: ({ evidence, nonce }) => evidence.isSigned && nonce !== 'none' && !evidence.isBound,
  policy_evidence_type: ({ evidence }, { accepts }) => !accepts.includes(evidence.type),
  snp_debug: ({ evidence }, policy) =>
    evidence.isSigned && evidence.isDebug && !(policy.allowDebug && policy.accepts.includes(evidence.type)),
};

/** Checks under a policy that accepts the type of the evidence. */
const APPRAISED: Readonly<Record<string, Fails>> = {
  nonce_missing: ({ nonce }, policy) =>
    typeof nonce === 'string' &&
    (policy.nonce === 'challenge' || (nonce === 'none' && policy.freshness === 'required')),
  binding_missing: ({ hasKey }, { binding }) => binding === 'required' && !hasKey,
  snp_tcb_low: ({ evidence }, { microcode }) => evidence.isSigned && evidence.microcode < microcode,
  snp_measurement: ({ evidence }, { measurements }) =>
    evidence.isSigned && measurements.length > 0 && !measurements.includes(evidence.measurement),
};

function failing(
  checks: Readonly<Record<string, Fails>>,
  request: ModelRequest,
  policy: ModelPolicy,
): readonly string[] {
  return Object.entries(checks).flatMap(([reason, fails]) => (fails(request, policy) ? [reason] : []));
}

/** The verdict of these reasons. */
export function verdictOf(reasons: readonly string[]): Verdict {
  const sorted = [...new Set(reasons)].sort();
  if (sorted.length === 0) return { decision: 'allow', reasons: sorted };
  const isUndecided = sorted.every((reason) => UNDECIDED.includes(reason));
  return { decision: isUndecided ? 'indeterminate' : 'deny', reasons: sorted };
}

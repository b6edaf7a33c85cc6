import { saysTheSame } from './statement.js';
import { TEE, type TeeView } from './tee-view.js';

/** Claims that every Attestation Result must make, and make alike, to be about the TEE of the first. */
export function identifyingClaims(first: TeeView): readonly string[] {
  return [TEE, first.identity];
}

/**
 * Whether another Attestation Result is about the same TEE: by the attestation key where there is a vTPM, else by all 64
 * bytes of report data. It does not say that they agree on anything else. Nonce and VM id are not asked: both can be had for
 * another TEE.
 */
export function isSameTee(first: TeeView, other: TeeView): boolean {
  return unmetIdentity(first, other) === null;
}

/** The first of the identifying claims that the two do not both make, and make alike; null where there is none. */
export function unmetIdentity(first: TeeView, other: TeeView): string | null {
  const isMet = (claim: string) => saysTheSame(first.statements.get(claim), other.statements.get(claim));
  return identifyingClaims(first).find((claim) => !isMet(claim)) ?? null;
}

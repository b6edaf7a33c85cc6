/**
 * How long a used proof is stored. A proof is valid for a minute before and after its time. The clock check allows a lag of
 * one more minute. After that the time of the proof is rejected.
 */
export const PROOF_KEPT_MS = 200_000;

/** Proofs of one gate in a process: a thousand a second. So clients of one gate cannot use up the capacity of another. */
export const PROOFS_OF_GATE = 200_000;

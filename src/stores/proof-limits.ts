/**
 * How long a used proof is remembered. It is good for a minute to both sides of its time, and the watch over the clock lets it fall
 * behind by a minute more. After that the time of the proof refuses it.
 */
export const PROOF_KEPT_MS = 200_000;

/** Proofs of one gate that a process keeps: a thousand a second. So who may pass one gate cannot take the room of another. */
export const PROOFS_OF_GATE = 200_000;

import { lenientPolicy, sha256Hex } from './lab-service.js';

/** Two texts of one policy: the first allows the lab's VM, the second asks for firmware that it does not have. */
export const OPEN = lenientPolicy('changing');
export const CLOSED = lenientPolicy('changing', { version: 2, minimums: { snp: { Milan: { microcode: 254 } } } });

/** The verdict of each text, by its digest. */
export const OUTCOMES: ReadonlyMap<string, readonly string[]> = new Map([
  [sha256Hex(OPEN), ['allow']],
  [sha256Hex(CLOSED), ['deny', 'snp_tcb_low']],
]);

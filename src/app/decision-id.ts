import { randomFillSync } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';

const RANDOM_BYTES = 16;

/** Random bytes for many ids. One draw for each id would cost more than the rest of the id. */
const drawn = new Uint8Array(256 * RANDOM_BYTES);
let used = drawn.length;

/** A UUID version 7 of this time. */
export function newDecisionId(at: Date): string {
  if (used === drawn.length) {
    randomFillSync(drawn);
    used = 0;
  }
  const random = drawn.subarray(used, used + RANDOM_BYTES);
  used += RANDOM_BYTES;
  return uuidv7({ msecs: at.getTime(), random });
}

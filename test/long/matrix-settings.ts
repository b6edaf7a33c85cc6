import { IS_FULL } from './scale.js';

/** Of the services of the matrix: the default, or one that does not keep a developer waiting. */
export const DEADLINE_SECONDS = IS_FULL ? 5 : 1;

/** How much later than its deadline a request may be answered. */
export const GRACE_MS = 100;

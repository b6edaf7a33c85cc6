import type { Clock } from '../model/ports.js';

/** The machine's own time. */
export const SYSTEM_CLOCK: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
};

import { setImmediate } from 'node:timers/promises';
import { AT_A_TIME } from './protocol.js';

/** After this time what else is due in the process gets its turn: a service that finds itself late turns requests away. */
const TURN_MS = 20;

/** Does something a number of times, a few at a time. */
export async function repeat(times: number, work: () => Promise<unknown>, atATime = AT_A_TIME): Promise<void> {
  let left = times;
  let turnedMs = performance.now();
  const workOn = async () => {
    while (left-- > 0) {
      await work();
      if (performance.now() - turnedMs < TURN_MS) continue;
      await setImmediate();
      turnedMs = performance.now();
    }
  };
  await Promise.all(Array.from({ length: atATime }, workOn));
}

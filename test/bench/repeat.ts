import { AT_A_TIME } from './protocol.js';

/** Does something a number of times, a few at a time. */
export async function repeat(times: number, work: () => Promise<void>): Promise<void> {
  let left = times;
  const workOn = async () => {
    while (left-- > 0) await work();
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, workOn));
}

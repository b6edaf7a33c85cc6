/** Shorter runs of indices are listed. */
const SHORTEST_RANGE = 3;

/**
 * Names registers in a sentence: `no PCR`, `PCR 7`, `PCRs 0 to 7, 11`.
 * @param numbers display numbers of these registers, in any order
 */
export function registerNames(kind: 'PCR' | 'RTMR', numbers: readonly number[]): string {
  const [first, ...others] = [...new Set(numbers)].toSorted((a, b) => a - b);
  if (first === undefined) return `no ${kind}`;
  if (others.length === 0) return `${kind} ${first}`;
  return `${kind}s ${runsOf(first, others).map(shownRun).join(', ')}`;
}

/** Groups consecutive numbers. */
function runsOf(first: number, others: readonly number[]): readonly (readonly number[])[] {
  const runs = [[first]];
  for (const number of others) {
    const last = runs.at(-1);
    if (last?.at(-1) === number - 1) last.push(number);
    else runs.push([number]);
  }
  return runs;
}

function shownRun(run: readonly number[]): string {
  return run.length < SHORTEST_RANGE ? run.join(', ') : `${run[0]} to ${run.at(-1)}`;
}

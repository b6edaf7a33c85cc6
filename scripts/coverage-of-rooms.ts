import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';

/**
 * Fails if the tests reach less than 95 % of the branches of a room that decides. Thresholds of single files are in
 * vitest.config.ts, which can have them for files or for rooms, not both. Reads what `vitest run --coverage` wrote.
 */
const ROOMS = ['boot/format', 'tee', 'schema', 'policy', 'crypto', 'formats'];
const LEAST_PERCENT = 95;

interface Summary {
  readonly branches: { readonly total: number; readonly covered: number };
}

const summaries: Readonly<Record<string, Summary>> = JSON.parse(
  await readFile('coverage/coverage-summary.json', 'utf8'),
);
for (const room of ROOMS) {
  const files = Object.entries(summaries).filter(([file]) => relative('.', file).startsWith(`src/${room}/`));
  const sum = (member: 'total' | 'covered') => files.reduce((all, [, { branches }]) => all + branches[member], 0);
  const percent = (100 * sum('covered')) / sum('total');
  process.stdout.write(`branches of src/${room}: ${percent.toFixed(2)} %\n`);
  // NaN, if there are no files, is not a success.
  if (!(percent >= LEAST_PERCENT)) {
    process.stderr.write(`src/${room}: expected ${LEAST_PERCENT} % of the branches at least\n`);
    process.exitCode = 1;
  }
}

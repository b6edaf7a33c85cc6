import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';
import { type Change, NO_DIFFERENCE, ROOMS } from './no-difference.js';

/**
 * Changes one place of the source at a time, and runs the unit tests that reach it. Prints each change that no test
 * notices. Fails if tests notice less than 95 percent of the changes that make a difference, or if they notice one that
 * no-difference.ts lists. Of a room it may list 2 percent.
 *
 * Arguments: files or folders of src; `--since COMMIT` for what differs from it in the rooms that decide an allow.
 */
type Options = ConstructorParameters<typeof Stryker>[0];
type Result = Awaited<ReturnType<Stryker['runMutationTest']>>[number];

/** A change that was tried. */
interface Mutant extends Change {
  readonly line: number;
  readonly isNoticed: boolean;
}

const LEAST_NOTICED = 0.95;
const USAGE = 'mutate: name files or folders of src, or --since COMMIT, and not both\n';

const { values, positionals } = parseArgs({
  options: { since: { type: 'string' } },
  allowPositionals: true,
});
process.exitCode = await main();

/** @returns the exit code */
async function main(): Promise<number> {
  const isOneSort = (values.since === undefined) !== (positionals.length === 0);
  const files = isOneSort ? chosenFiles() : [];
  if (!isOneSort || (files.length === 0 && values.since === undefined)) {
    process.stderr.write(USAGE);
    return 2;
  }
  return mutate(files);
}

function chosenFiles(): readonly string[] {
  if (values.since !== undefined) {
    const rooms = ROOMS.map((room) => `src/${room}`);
    return git('diff', '--name-only', '--diff-filter=d', `${values.since}...HEAD`, '--', ...rooms);
  }
  return git('ls-files', '--cached', '--others', '--exclude-standard', '--', ...positionals);
}

/** The TypeScript files that a command of git names. */
function git(...command: readonly string[]): readonly string[] {
  const named = execFileSync('git', command, { encoding: 'utf8' }).split('\n');
  return named.filter((path) => path.endsWith('.ts'));
}

async function mutate(files: readonly string[]): Promise<number> {
  const mutants: Mutant[] = [];
  for (const file of files) {
    const found = await mutateFile(file);
    const missed = found.filter(isMissed);
    process.stdout.write(`${file}: ${found.length} changes, ${missed.length} not noticed\n`);
    for (const { line, from, to } of missed) process.stdout.write(`line ${line}\n  - ${from}\n  + ${to}\n`);
    mutants.push(...found);
  }
  return report(mutants, files);
}

/** One file at a time: which test reaches which change of a whole room takes gigabytes. */
async function mutateFile(file: string): Promise<readonly Mutant[]> {
  const results = await new Stryker({
    mutate: [file],
    testRunner: 'vitest',
    plugins: ['@stryker-mutator/vitest-runner', './test/mutations/texts.mjs'],
    ignorers: ['texts'],
    vitest: { configFile: 'test/mutations/vitest.config.ts', related: true },
    coverageAnalysis: 'perTest',
    reporters: [],
    // Files that no unit test reads.
    ignorePatterns: ['/coverage', '/data'],
    // Vitest finds no tests below node_modules.
    tempDirName: '.mutations',
    dryRunTimeoutMinutes: 30,
    logLevel: 'error' as NonNullable<Options['logLevel']>,
  }).runMutationTest();
  return results.filter(({ status }) => status !== 'CompileError' && status !== 'Ignored').map(asMutant);
}

/** With the whole lines, so that a change can be read, and is no other of the same file. */
function asMutant({ fileName, location: { start, end }, replacement, status }: Result): Mutant {
  const lines = readFileSync(fileName, 'utf8').split('\n');
  const before = lines[start.line - 1]?.slice(0, start.column - 1) ?? '';
  const after = lines[end.line - 1]?.slice(end.column - 1) ?? '';
  return {
    file: relative(process.cwd(), fileName),
    line: start.line,
    from: lines
      .slice(start.line - 1, end.line)
      .join('\n')
      .trim(),
    to: `${before}${replacement}${after}`.trim(),
    isNoticed: status !== 'Survived' && status !== 'NoCoverage',
  };
}

function isMissed(mutant: Mutant): boolean {
  return !mutant.isNoticed && !NO_DIFFERENCE.some((listed) => isSame(listed, mutant));
}

/** @returns the exit code */
function report(mutants: readonly Mutant[], files: readonly string[]): number {
  const survived = mutants.filter(({ isNoticed }) => !isNoticed);
  const missed = survived.filter(isMissed);
  const stale = NO_DIFFERENCE.filter(
    (listed) => files.includes(listed.file) && !survived.some((mutant) => isSame(listed, mutant)),
  );
  for (const { file, to } of stale) process.stdout.write(`${file}: listed, but noticed or not there:\n  + ${to}\n`);
  const same = survived.length - missed.length;
  const noticed = 1 - missed.length / Math.max(1, mutants.length - same);
  const listed = same / Math.max(1, mutants.length);
  process.stdout.write(
    `${mutants.length} changes, ${percent(listed)} listed as no difference; ${percent(noticed)} of the others noticed\n`,
  );
  return noticed >= LEAST_NOTICED && stale.length === 0 ? 0 : 1;
}

function isSame(one: Change, other: Change): boolean {
  return one.file === other.file && one.from === other.from && one.to === other.to;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve, sep } from 'node:path';
import { parseArgs } from 'node:util';
import { Instrumenter } from '@stryker-mutator/instrumenter';
import { createVitest } from 'vitest/node';
import { type Change, NO_DIFFERENCE, ROOMS } from './no-difference.js';
import { Outcomes } from './outcomes.js';

/**
 * Changes one place of the source at a time, and runs the unit tests of its room that reach it. Prints each change that no test
 * notices. Fails if tests notice less than 95 percent of the changes that make a difference, or if they notice one that
 * no-difference.ts lists. Of a room it may list 2 percent.
 *
 * Arguments: files or folders of src; `--since COMMIT` for what differs from it in the rooms that decide an allow.
 */
type Instrumented = Awaited<ReturnType<Instrumenter['instrument']>>['mutants'][number];

/** What the instrumenter shows of the syntax. */
interface NodePath {
  readonly node?: {
    readonly type: string;
    readonly value?: string;
    readonly quasis?: readonly { value: { cooked: string } }[];
  };
}

/** A change that a process is told to make. */
interface Numbered extends Change {
  readonly id: number;
  readonly line: number;
}

/** A change that was tried. */
interface Mutant extends Numbered {
  readonly isNoticed: boolean;
}

/** Logs nothing, at any level. */
const SILENT = new Proxy({} as ConstructorParameters<typeof Instrumenter>[0], { get: () => () => false });
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
  const { sources, changes } = await instrument(files);
  const mutants = await tryAll(sources, changes);
  for (const file of files) {
    const found = mutants.filter((mutant) => mutant.file === file);
    const missed = found.filter(isMissed);
    process.stdout.write(`${file}: ${found.length} changes, ${missed.length} not noticed\n`);
    for (const { line, from, to } of missed) process.stdout.write(`line ${line}\n  - ${from}\n  + ${to}\n`);
  }
  return report(mutants, files);
}

/** The files with each change in them, behind a switch. */
async function instrument(files: readonly string[]) {
  const contents = files.map((path) => ({ name: resolve(path), content: readFileSync(path, 'utf8'), mutate: true }));
  const made = await new Instrumenter(SILENT).instrument(contents, {
    plugins: null,
    excludedMutations: [],
    ignorers: [{ shouldIgnore: asText }],
  });
  return {
    sources: new Map(made.files.map(({ name, content }) => [name, content])),
    changes: made.mutants.filter(({ status }) => status !== 'Ignored').map(asChange),
  };
}

/** Runs the unit tests of their rooms that import the files. Those of a process that was killed run again. */
async function tryAll(sources: ReadonlyMap<string, string>, changes: readonly Numbered[]): Promise<readonly Mutant[]> {
  const folder = mkdtempSync(join(tmpdir(), 'veritee-mutations-'));
  try {
    const outcomes = Outcomes.create(join(folder, 'outcomes'), 1 + Math.max(...changes.map(({ id }) => id)));
    const rooms = new Set([...sources.keys()].map((path) => relative('src', path).split(sep)[0]));
    let left = await runTests(
      sources,
      outcomes,
      [...rooms].map((room) => `test/unit/${room}/`),
    );
    while (left.length > 0) left = await runTests(sources, outcomes, left);
    const wrong = outcomes.ended().filter(({ problem }) => problem !== null);
    if (wrong.length > 0) throw new Error(wrong.map(({ testFile, problem }) => `${testFile} ${problem}`).join('\n'));
    return changes.map((change) => ({ ...change, isNoticed: outcomes.isNoticed(change.id) }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @returns the test files that did not end */
async function runTests(
  sources: ReadonlyMap<string, string>,
  outcomes: Outcomes,
  filters: readonly string[],
): Promise<readonly string[]> {
  const instrumented = { name: 'instrumented', enforce: 'pre' as const, load: (id: string) => sources.get(id) ?? null };
  const options = {
    config: 'test/mutations/vitest.config.ts',
    watch: false,
    related: [...sources.keys()],
  };
  const vitest = await createVitest('test', options, { plugins: [instrumented] });
  try {
    vitest.provide('outcomes', outcomes.path);
    const found = await vitest.getRelevantTestSpecifications([...filters]);
    if (found.length > 0) await vitest.start([...filters]);
    const ended = new Set(outcomes.ended().map(({ testFile }) => testFile));
    return vitest.state.getPaths().filter((path) => !ended.has(path));
  } finally {
    await vitest.close();
  }
}

/** With the whole lines, so that a change can be read, and is no other of the same file. */
function asChange({ id, fileName, location: { start, end }, replacement }: Instrumented): Numbered {
  const lines = readFileSync(fileName, 'utf8').split('\n');
  const before = lines[start.line]?.slice(0, start.column) ?? '';
  const after = lines[end.line]?.slice(end.column) ?? '';
  return {
    id: Number(id),
    file: relative(process.cwd(), fileName),
    line: start.line + 1,
    from: lines
      .slice(start.line, end.line + 1)
      .join('\n')
      .trim(),
    to: `${before}${replacement}${after}`.trim(),
  };
}

/** Texts for people stay as they are: unit tests compare codes, and test/messages compares texts. A text has a space. */
function asText({ node }: NodePath): string | undefined {
  const texts = node?.type === 'StringLiteral' ? [node.value] : node?.quasis?.map(({ value }) => value.cooked);
  return texts?.some((text) => text?.includes(' ')) === true ? 'a text for people' : undefined;
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

import { randomInt } from 'node:crypto';
import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { LONGEST_FIRST } from './longest-first.js';

interface Placed {
  readonly path: string;
  readonly project: string;
}

/** Most of the longest files have a process each. */
const PROJECTS = ['alone', 'whole', 'unit'];

/** Vitest's order of test files, with the seed that repeats it. */
export default class Order extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { config, logger } = this.ctx;
    config.sequence.seed ??= randomInt(2 ** 31);
    logger.log(`order of files: --sequence.seed=${config.sequence.seed} repeats it`);
    const placed = files.map((file) => ({
      file,
      project: file.project.name,
      path: relative(config.root, file.moduleId),
    }));
    return inOrder(placed, config.sequence.seed).map(({ file }) => file);
  }
}

/**
 * The files that take longest come first, so that none of them is left to one worker at the end. The seed decides about
 * the others: where files share a process, an order of its own each time shows what a file leaves to the next.
 */
export function inOrder<File extends Placed>(files: readonly File[], seed: number): readonly File[] {
  const next = numbersFrom(seed);
  return (
    files
      // The order in which files are found is not always the same.
      .toSorted((one, other) => compare(one.path, other.path))
      .map((file) => ({ file, rank: rankOf(file.path), drawn: next() }))
      // Files of one project together: a worker ends where the next file is another project's.
      .sort(
        (one, other) =>
          PROJECTS.indexOf(one.file.project) - PROJECTS.indexOf(other.file.project) ||
          one.rank - other.rank ||
          one.drawn - other.drawn,
      )
      .map(({ file }) => file)
  );
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}

function rankOf(path: string): number {
  const rank = LONGEST_FIRST.indexOf(path);
  return rank === -1 ? LONGEST_FIRST.length : rank;
}

/** Numbers that look like chance, by mulberry32: the same for the same seed. */
function numbersFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

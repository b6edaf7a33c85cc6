import type { Node } from 'yaml';
import { ConfigurationError } from '../../core/errors.js';
import { parsePolicyTest } from '../test-cases/case-document.js';
import { isGeneratedName } from './learned-cases.js';
import { nodesOf } from './learned-document.js';

/** The existing test beside the file; null if there is none. */
export type TestBefore = { readonly name: string; readonly text: string } | null;

/**
 * Reads the cases that an author added to a test, with their comments. Generated cases are recognised by their names.
 *
 * @throws {ConfigurationError} if the test does not load, because its added cases are then unknown
 */
export function keptCases(before: TestBefore): readonly Node[] {
  if (before === null) return [];
  const { cases } = parsed(before);
  return nodesOf(before.text, 'cases').items.filter((_, index) => !isGeneratedName(cases[index]?.name ?? ''));
}

function parsed({ name, text }: NonNullable<TestBefore>) {
  try {
    return parsePolicyTest(text);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const problems = error.problems.map((problem) => `${name}: ${problem}`);
    const remedy = `${name}: cases that you added are kept: correct the test, or remove it`;
    throw new ConfigurationError([...problems, remedy], { cause: error });
  }
}

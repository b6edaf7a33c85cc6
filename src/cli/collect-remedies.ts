import { CollectError } from '../collector/collect-error.js';
import { UsageError } from './input.js';

/**
 * Runs what reads or collects evidence. Scripts read the code of its error, people the remedy.
 * @throws {UsageError} for a CollectError
 */
export async function sayingRemedies<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof CollectError)) throw error;
    throw new UsageError([`${error.code}: ${error.message}`, error.remedy], { cause: error });
  }
}

import type { CheckId } from '../../model/codes.js';
import type { Unavailable } from '../../model/endorsement.js';
import { FetchError } from '../../outgoing/fetch-error.js';
import { UnfitError } from '../../outgoing/unfit-error.js';

/**
 * Why KDS gave nothing that can be used. A 404 will be one tomorrow too; everything else may pass.
 * @throws {unknown} what is neither a fault of the network nor of what came over it
 */
export function kdsProblem(code: CheckId, what: string, error: unknown): Unavailable {
  if (error instanceof FetchError) {
    return { code, detail: `${what}: AMD KDS ${error.message}`, retryable: !error.notFound };
  }
  if (error instanceof UnfitError) {
    return { code, detail: `${what}: what AMD KDS answered is of no use: ${error.message}`, retryable: true };
  }
  throw error;
}

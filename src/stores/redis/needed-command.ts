import { UnfitError } from '../../core/errors.js';
import { RedisReplyError } from './redis-session.js';

/** What a server has to let this process do. */
export type Needed = 'scripts' | 'confirmations';

const MAY_NOT: { readonly [needed in Needed]: string } = {
  scripts: 'does not let veritee run scripts (EVAL)',
  confirmations: 'does not let veritee ask what is on the disk (WAITAOF)',
};

const MAY_NOT_WITHIN =
  'does not let veritee run within scripts what it has to run there, as Redis Enterprise, Redis Cloud and Azure Managed Redis do not let it ask INFO';

/** A server that does not know a command says so by the code of all faults, and so do scripts of what may not run in them. */
const UNKNOWN = /^ERR unknown command/i;
const NOT_WITHIN = /not allowed from scripts?\b|user executing the script can't|ACL failure in script/i;

/**
 * The answer to something that a server has to let this process do. What may pass, as of one that is loading, is busy or became a
 * replica, is thrown as it is.
 *
 * @throws {UnfitError} where the server refuses it, which waiting does not change
 */
export async function answerTo<T>(needed: Needed, asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    const why = error instanceof RedisReplyError ? whyRefused(needed, error) : null;
    throw why === null ? error : new UnfitError(`${why}: ${(error as Error).message}`, { cause: error });
  }
}

function whyRefused(needed: Needed, { code, message }: RedisReplyError): string | null {
  if (NOT_WITHIN.test(message)) return MAY_NOT_WITHIN;
  return code === 'NOPERM' || UNKNOWN.test(message) ? MAY_NOT[needed] : null;
}

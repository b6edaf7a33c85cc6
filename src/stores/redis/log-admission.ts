import { UnfitError } from '../../core/errors.js';
import { confirm, type Durability } from './durability.js';
import { LOG_KEYS } from './log-keys.js';
import { ADMIT_LOG } from './log-scripts.js';
import { answerTo } from './needed-command.js';
import type { ServerInfo } from './open-server.js';
import { RedisReplyError, type RedisSession } from './redis-session.js';
import { scriptAnswer, unexpectedAnswer } from './script-answer.js';

/** Number of the form that this version writes; another form gets another number. */
const FORM = '1';

const [MAJOR, MINOR] = [7, 2];

/** Twice: a server that syncs once a second, and does not say so, may do it just now. */
const PROBES = 2;

/**
 * Whether a server may keep the decision log: only one that does not lose what it has confirmed.
 *
 * @throws {UnfitError} where it must not be used
 * @throws {Error} where that may pass, as with replicas that are not there yet
 */
export async function admitLog(
  server: Pick<RedisSession, 'call'>,
  info: ServerInfo,
  durability: Durability,
): Promise<void> {
  requireWaitAof(info.get('redis_version') ?? '');
  if (info.get('aof_enabled') !== '1') {
    throw new UnfitError('has no append-only file, so a restart would lose decisions: appendonly has to be yes');
  }
  await requireSyncing(server);
  for (let probe = 0; probe < PROBES; probe++) {
    const ran = server.call('eval', ADMIT_LOG.text, LOG_KEYS.length, ...LOG_KEYS, FORM);
    const [state, what] = scriptAnswer(await answerTo('scripts', ran));
    if (state === 'form') {
      throw new UnfitError(
        `has a decision log that another version of veritee wrote (form ${what}, this one knows ${FORM})`,
      );
    }
    if (state === 'forbidden') {
      throw new UnfitError(`does not let the user run ${what}: docs/stores.md has the commands that it has to let run`);
    }
    if (state !== 'admitted' && state !== 'full') throw unexpectedAnswer(state);
    await answerTo('confirmations', confirm(server, durability));
  }
}

/**
 * Several versions confirm by WAITAOF what they have not synced yet, where they sync once a second. So the setting itself has to
 * be right. A server may keep it to itself.
 */
async function requireSyncing(server: Pick<RedisSession, 'call'>): Promise<void> {
  const answer = await server.call('config', 'get', 'appendfsync').catch((error: unknown) => {
    if (error instanceof RedisReplyError) return null;
    throw error;
  });
  const [, value = 'always'] = Array.isArray(answer) ? answer : [];
  if (value !== 'always') {
    throw new UnfitError(`appendfsync is ${value}, and has to be always: what is told would not be on the disk yet`);
  }
}

/** Valkey names itself Redis 7.2.4 or later there. */
function requireWaitAof(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > MAJOR || (major === MAJOR && minor >= MINOR)) return;
  const what = version === '' ? 'does not tell its version' : `is of version ${version}`;
  throw new UnfitError(`${what}, and decisions need WAITAOF: Redis or Valkey from ${MAJOR}.${MINOR}`);
}

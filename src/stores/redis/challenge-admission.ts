import { UnfitError } from '../../core/errors.js';
import type { Log } from '../../core/ports.js';
import { keyFingerprint } from '../key-fingerprint.js';
import { ADMIT } from './challenge-scripts.js';
import { HASH_TAG } from './locate-server.js';
import { answerTo } from './needed-command.js';
import type { RedisSession } from './redis-session.js';
import { scriptAnswer, unexpectedAnswer } from './script-answer.js';

/** Where the fingerprint of the challenge key is kept. It has no expiry. */
export const FINGERPRINT_KEY = `${HASH_TAG}:challenge-key`;

/** The user of docs/stores.md may not run DEL. A lifetime that is over takes the key away as well. */
const OTHER_KEY = `holds challenges of replicas with another challenge key: all replicas need the same challenges.key; to change it, stop them all and run PEXPIRE ${FINGERPRINT_KEY} 0 there as the user of veritee (docs/stores.md, The key of challenges)`;

/** Whether a server may keep challenges of this process: only those of one challenge key are on one server. */
export class ChallengeAdmission {
  readonly fingerprint: string;
  readonly #log: Log;
  /** Who the server was that was admitted last. */
  #server: string | null = null;

  /** @param key the MAC key of challenges. What is derived of it says nothing about it. */
  constructor(key: Uint8Array, log: Log) {
    this.fingerprint = keyFingerprint(key).toString('hex');
    this.#log = log;
  }

  /**
   * @throws {UnfitError} where the server has challenges of another key, does not say who it is, or refuses scripts
   * @throws {Error} where it may be another one soon
   */
  async admit(server: Pick<RedisSession, 'call'>): Promise<void> {
    const ran = server.call('eval', ADMIT.text, 1, FINGERPRINT_KEY, this.fingerprint);
    const [state, ...identity] = scriptAnswer(await answerTo('scripts', ran));
    switch (state) {
      case 'admitted':
        return this.#remember(identity.join(' '));
      case 'foreign':
        throw new UnfitError(OTHER_KEY);
      case 'nameless':
        throw new UnfitError('does not tell run_id and master_replid by INFO, which show a restart and a failover');
      case 'replica':
        throw new Error('is a replica');
      default:
        throw unexpectedAnswer(state);
    }
  }

  #remember(server: string): void {
    if (this.#server !== null && this.#server !== server) {
      this.#log.warn({}, 'the challenge store was restarted, or is another server now: challenges of before are void');
    }
    this.#server = server;
  }
}

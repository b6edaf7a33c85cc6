import { type Configuration, challengeKeyPath } from '../config/configuration.js';
import type { Log } from '../model/ports.js';
import { readOrCreateChallengeKey } from '../stores/challenge-key.js';

/** Without the key of an earlier start its challenges are not recognised, and pass for nonces of the caller's own. */
export function readChallengeKey(configuration: Configuration, log: Log): Promise<Uint8Array> {
  const file = challengeKeyPath(configuration);
  const message =
    "there was no challenge key, so one was created: a challenge issued with another key counts as the caller's own nonce";
  return readOrCreateChallengeKey(file, () => log.warn({ file }, message));
}

import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Configuration, challengeKeyPath } from '../../config/configuration.js';
import { ChallengeCodec } from '../../judge/challenge-codec.js';
import { type Nonces, nonceStanding } from '../../judge/nonces.js';

/**
 * Recognises a challenge if the service's key is available. Without the key, every nonce counts as the caller's own. No
 * command consumes a challenge.
 */
export async function commandLineNonces(configuration: Configuration): Promise<Nonces> {
  const key = await readFile(challengeKeyPath(configuration)).catch(() => randomBytes(32));
  const codec = new ChallengeCodec(key, randomBytes);
  return { standing: (nonce, _scope, { at }) => nonceStanding(codec, nonce, at, null) };
}

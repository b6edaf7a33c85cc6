import type { JsonObject, JsonValue } from '../../../core/json.js';
import type { ExpectedBinding } from '../../../core/verification.js';
import { equalInConstantTime } from '../../../crypto/constant-time.js';
import { jwkThumbprint } from '../../../crypto/jwk-thumbprint.js';
import { base64OrNull } from './held-value.js';

/** More keys than a guest binds: a longer list is not looked through, since each key costs a digest. */
const MOST_KEYS = 64;

/** The expected values that such data contains. */
export interface HeldBinding {
  /** The member `nonce`, decoded; null where it is absent or no base64. */
  readonly nonce: Uint8Array | null;
  /** The bound key's thumbprint where the member `keys` has that key; null where it has not, or none is bound. */
  readonly jkt: string | null;
}

/** N, and the bound key where there is one. */
export function isBound(held: HeldBinding, { nonce, jkt }: ExpectedBinding): boolean {
  return held.nonce !== null && equalInConstantTime(held.nonce, nonce) && held.jkt === jkt;
}

export function heldBinding({ nonce, keys }: JsonObject, { jkt }: ExpectedBinding): HeldBinding {
  return {
    nonce: base64OrNull(nonce),
    jkt: jkt !== null && holdsKey(keys, jkt) ? jkt : null,
  };
}

function holdsKey(keys: JsonValue | undefined, jkt: string): boolean {
  return Array.isArray(keys) && keys.length <= MOST_KEYS && keys.some((key: JsonValue) => jwkThumbprint(key) === jkt);
}

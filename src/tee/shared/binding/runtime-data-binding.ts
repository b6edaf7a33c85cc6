import type { JsonObject, JsonValue } from '../../../core/json.js';
import type { ExpectedBinding } from '../../../core/verification.js';
import { equalInConstantTime } from '../../../crypto/constant-time.js';
import { jwkThumbprint } from '../../../crypto/jwk-thumbprint.js';
import { base64OrNull } from './held-value.js';

/** More keys than a guest binds. A longer list is not searched, because each key costs a digest. */
const MOST_KEYS = 64;

/** The expected values that runtime data holds. */
export interface HeldBinding {
  /** The decoded member `nonce`; null if it is absent or not base64. */
  readonly nonce: Uint8Array | null;
  /**
   * The thumbprint of the bound key, if the member `keys` contains the key; null otherwise, and without a bound key.
   */
  readonly jkt: string | null;
}

/** Whether the data holds N, and the bound key if there is one. */
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

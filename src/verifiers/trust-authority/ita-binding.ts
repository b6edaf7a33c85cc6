import { decodeBase64, decodeStandardBase64 } from '../../formats/base64.js';
import { decodeUserData } from '../../formats/runtime-claims.js';
import { nullIfMalformed } from '../../model/errors.js';
import type { ExpectedBinding, FreshnessPlace } from '../../model/verification.js';
import { isExactly, isPadded } from '../held-value.js';
import { holdsNonceAndKey } from '../runtime-data-binding.js';
import type { ItaStatement } from './ita-statement.js';

/**
 * Places of a token that hold the caller's nonce, in what the hardware vouches for: the service compares report data, or
 * the paravisor's user data, with the hash of its own nonce and of the data shown (api.md, Freshness and binding). Held
 * data have no length of their own, and hold X exactly.
 *
 * X in `tdx_report_data` itself is none: what stands there is a hash of the service's own making.
 */
export function boundPlaces(statement: ItaStatement, binding: ExpectedBinding): readonly FreshnessPlace[] {
  const { runtime, heldData, verifierNonce } = statement;
  const { value, nonce, jkt } = binding;
  const places: readonly (readonly [FreshnessPlace, boolean])[] = [
    ['ita.userData', runtime !== null && isPadded(decodeUserData(runtime['user-data'] ?? null), value)],
    ['ita.heldData', isExactly(decodeOrNull(heldData), value)],
    ['ita.runtimeData', runtime !== null && holdsNonceAndKey(runtime, binding)],
    // This nonce is the service's, made before anybody could hash a key into it: it binds none.
    ['ita.verifierNonce', jkt === null && isVerifierNonce(verifierNonce, nonce)],
  ];
  return places.filter(([, holds]) => holds).map(([place]) => place);
}

/**
 * The value is base64 of bytes; in genuine tokens those bytes are a text, base64 again, of 64 random ones. Whoever asked
 * the service for a nonce may have kept it in either form, and each stands for the other.
 */
function isVerifierNonce(val: string | null, nonce: Uint8Array): boolean {
  const bytes = decodeOrNull(val);
  if (bytes === null) return false;
  return isExactly(bytes, nonce) || isExactly(decodeText(bytes), nonce);
}

function decodeOrNull(text: string | null): Uint8Array | null {
  return text === null ? null : nullIfMalformed(() => decodeBase64(text));
}

function decodeText(bytes: Uint8Array): Uint8Array | null {
  return nullIfMalformed(() => decodeStandardBase64(Buffer.from(bytes).toString('latin1')));
}

import { nullIfMalformed } from '../../core/errors.js';
import type { ExpectedBinding } from '../../core/verification.js';
import { decodeStandardBase64 } from '../../formats/base64.js';
import { base64OrNull, isExactly, isPadded, type NoncePlace } from '../shared/binding/held-value.js';
import { heldBinding, isBound } from '../shared/binding/runtime-data-binding.js';
import { decodeUserData } from '../shared/format/runtime-claims.js';
import type { ItaStatement } from './ita-statement.js';

/**
 * Lists the places in a token that can hold the caller's nonce. The hardware vouches for each: Trust Authority compares
 * the report data, or the paravisor's user data, with the hash of its own nonce and of the data in the token. Held data
 * has no fixed length, so it must equal X exactly.
 *
 * `tdx_report_data` is not a place for X: it holds a hash, of the nonce and held data, or of the runtime claims on
 * Azure.
 */
export function noncePlaces(statement: ItaStatement, binding: ExpectedBinding): readonly NoncePlace[] {
  const { runtime } = statement;
  const { value, nonce, jkt } = binding;
  const userData = decodeUserData(runtime?.['user-data'] ?? null);
  const heldData = base64OrNull(statement.heldData);
  const inRuntime = heldBinding(runtime ?? {}, binding);
  const verifierNonce = base64OrNull(statement.verifierNonce);
  return [
    { place: 'ita.userData', field: userData, holds: isPadded(userData, value) },
    { place: 'ita.heldData', field: heldData, holds: isExactly(heldData, value) },
    { place: 'ita.runtimeData', field: inRuntime.nonce, holds: isBound(inRuntime, binding) },
    // Trust Authority makes this nonce, so a client cannot hash a key into it. It binds no key.
    {
      place: 'ita.verifierNonce',
      field: verifierNonce,
      holds: jkt === null && verifierNonce !== null && isVerifierNonce(verifierNonce, nonce),
    },
  ];
}

/**
 * Whether the value in the token is the caller's nonce. The value is base64. In genuine tokens the decoded bytes are
 * base64 text again, of 64 random bytes. A client may send either form as its nonce, so both are accepted.
 */
function isVerifierNonce(bytes: Uint8Array, nonce: Uint8Array): boolean {
  return isExactly(bytes, nonce) || isExactly(decodeText(bytes), nonce);
}

function decodeText(bytes: Uint8Array): Uint8Array | null {
  return nullIfMalformed(() => decodeStandardBase64(Buffer.from(bytes).toString('latin1')));
}

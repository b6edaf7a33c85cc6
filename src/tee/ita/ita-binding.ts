import { nullIfMalformed } from '../../core/errors.js';
import type { ExpectedBinding } from '../../core/verification.js';
import { decodeStandardBase64 } from '../../formats/base64.js';
import { base64OrNull, isExactly, isPadded, type NoncePlace } from '../shared/binding/held-value.js';
import { heldBinding, isBound } from '../shared/binding/runtime-data-binding.js';
import { decodeUserData } from '../shared/format/runtime-claims.js';
import type { ItaStatement } from './ita-statement.js';

/**
 * Places of a token that can hold the caller's nonce, in what the hardware vouches for: the service compares report data,
 * or the paravisor's user data, with the hash of its own nonce and of the data shown. Held data have no length of their
 * own, and hold X exactly.
 *
 * X in `tdx_report_data` itself is none: what stands there is a hash of the service's own making.
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
    // Trust Authority makes this nonce before a client can hash a key into it, so it binds no key.
    {
      place: 'ita.verifierNonce',
      field: verifierNonce,
      holds: jkt === null && verifierNonce !== null && isVerifierNonce(verifierNonce, nonce),
    },
  ];
}

/**
 * The value is base64 of bytes; in genuine tokens those bytes are a text, base64 again, of 64 random ones. A client that
 * requested a nonce may have kept it in either form, so both forms are equal.
 */
function isVerifierNonce(bytes: Uint8Array, nonce: Uint8Array): boolean {
  return isExactly(bytes, nonce) || isExactly(decodeText(bytes), nonce);
}

function decodeText(bytes: Uint8Array): Uint8Array | null {
  return nullIfMalformed(() => decodeStandardBase64(Buffer.from(bytes).toString('latin1')));
}

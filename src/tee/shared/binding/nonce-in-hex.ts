import { base64, fromHex, hex } from '../../../core/bytes.js';
import type { Check } from '../../../core/check.js';
import { sendInBase64url } from '../../../core/checks/freshness.js';
import { isObject, type JsonValue } from '../../../core/json.js';
import type { ExpectedBinding } from '../../../core/verification.js';
import { boundValue } from '../../../crypto/bound-value.js';

/** A nonce of 8 to 64 bytes in hex. */
const HEX_NONCE = /^(?:[0-9a-f]{2}){8,64}$/i;

/**
 * Changes the remedy of a failed nonce check if the caller sent the nonce in hex: the evidence then holds the decoded
 * bytes, bound to the key of the request. Without a bound key, the compared values already show this mistake.
 */
export function withHexNoncesNamed(checks: readonly Check[], binding: ExpectedBinding | null): readonly Check[] {
  if (binding === null || binding.jkt === null) return checks;
  const digits = base64(binding.nonce, 'base64url');
  if (!HEX_NONCE.test(digits)) return checks;
  const meant = fromHex(digits);
  const bound = hex(boundValue(meant, binding.jkt));
  const remedy = sendInBase64url(meant);
  return checks.map((check) =>
    check.id === 'nonce_mismatch' && check.result === 'fail' && holds(check.actual, bound)
      ? { ...check, remedy }
      : check,
  );
}

/** Whether a field, or the field at one of several places, is the value, followed by zeros. */
function holds(actual: JsonValue, value: string): boolean {
  const fields = isObject(actual) ? Object.values(actual) : [actual];
  return fields.some(
    (field) => typeof field === 'string' && field.startsWith(value) && /^0*$/.test(field.slice(value.length)),
  );
}

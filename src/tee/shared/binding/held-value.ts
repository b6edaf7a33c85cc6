import { hex } from '../../../core/bytes.js';
import { nullIfMalformed } from '../../../core/errors.js';
import type { JsonObject, JsonValue } from '../../../core/json.js';
import type { ExpectedBinding, FreshnessPlace } from '../../../core/verification.js';
import { equalInConstantTime } from '../../../crypto/constant-time.js';
import { decodeBase64 } from '../../../formats/base64.js';

/** Pads X with zeros to 64 bytes. */
export function padded(value: Uint8Array): Uint8Array {
  const field = new Uint8Array(64);
  field.set(value);
  return field;
}

/** Whether a field is X, followed by zeros. A field of zeros was never set and does not hold X. */
export function isPadded(field: Uint8Array | null, value: Uint8Array): boolean {
  if (field === null || field.every((byte) => byte === 0)) return false;
  return equalInConstantTime(field, padded(value));
}

export function isExactly(field: Uint8Array | null, value: Uint8Array): boolean {
  return field !== null && equalInConstantTime(field, value);
}

/** Length of the longest nonce, and of a padded field, in bytes. */
const LONGEST = 64;

/** Formats a field for a nonce in lower-case hex; formats only its length if it is too long for a nonce. */
export function heldHex(field: Uint8Array | null): string | null {
  if (field === null) return null;
  return field.byteLength > LONGEST ? `${field.byteLength} bytes` : hex(field);
}

/** Decodes base64; null for any other value. */
export function base64OrNull(value: JsonValue | undefined): Uint8Array | null {
  return typeof value === 'string' ? nullIfMalformed(() => decodeBase64(value)) : null;
}

/** A place in a token that can hold the caller's nonce. */
export interface NoncePlace {
  readonly place: FreshnessPlace;
  /** The decoded value; null if it is absent or malformed. */
  readonly field: Uint8Array | null;
  readonly holds: boolean;
}

export function boundPlaces(places: readonly NoncePlace[]): readonly FreshnessPlace[] {
  return places.filter(({ holds }) => holds).map(({ place }) => place);
}

/** The values at the places by place name, in lower-case hex. */
export function heldValues(places: readonly NoncePlace[]): JsonObject {
  return Object.fromEntries(
    places.filter(({ field }) => field !== null).map(({ place, field }) => [place, heldHex(field)]),
  );
}

/** The expected values in a token: X. With a bound key also N and the key, for places that hold both separately. */
export function expectedInToken({ nonce, value, jkt }: ExpectedBinding): JsonValue {
  return jkt === null ? hex(value) : { value: hex(value), nonce: hex(nonce), jkt };
}

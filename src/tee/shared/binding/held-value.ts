import { hex } from '../../../core/bytes.js';
import { nullIfMalformed } from '../../../core/errors.js';
import type { JsonObject, JsonValue } from '../../../core/json.js';
import type { ExpectedBinding, FreshnessPlace } from '../../../core/verification.js';
import { equalInConstantTime } from '../../../crypto/constant-time.js';
import { decodeBase64 } from '../../../formats/base64.js';

/** X, followed by zeros up to 64 bytes. */
export function padded(value: Uint8Array): Uint8Array {
  const field = new Uint8Array(64);
  field.set(value);
  return field;
}

/** Whether a field is X, followed by zeros. A field that is all zero is not set, and never holds X. */
export function isPadded(field: Uint8Array | null, value: Uint8Array): boolean {
  if (field === null || field.every((byte) => byte === 0)) return false;
  return equalInConstantTime(field, padded(value));
}

/** Whether a field is exactly X. */
export function isExactly(field: Uint8Array | null, value: Uint8Array): boolean {
  return field !== null && equalInConstantTime(field, value);
}

/** The longest nonce, and the longest field that is padded. */
const LONGEST = 64;

/** A field where a nonce belongs, in lower-case hex; only its length where it is too long for a nonce. */
export function heldHex(field: Uint8Array | null): string | null {
  if (field === null) return null;
  return field.byteLength > LONGEST ? `${field.byteLength} bytes` : hex(field);
}

/** The bytes of a text in base64; null for anything else. */
export function base64OrNull(value: JsonValue | undefined): Uint8Array | null {
  return typeof value === 'string' ? nullIfMalformed(() => decodeBase64(value)) : null;
}

/** A place of a token that can hold the caller's nonce. */
export interface NoncePlace {
  readonly place: FreshnessPlace;
  /** The value there; null if there is none, or it does not have the form of one. */
  readonly field: Uint8Array | null;
  readonly holds: boolean;
}

export function boundPlaces(places: readonly NoncePlace[]): readonly FreshnessPlace[] {
  return places.filter(({ holds }) => holds).map(({ place }) => place);
}

/** The values at the places, in lower-case hex, by name. */
export function heldValues(places: readonly NoncePlace[]): JsonObject {
  return Object.fromEntries(
    places.filter(({ field }) => field !== null).map(({ place, field }) => [place, heldHex(field)]),
  );
}

/** The expected values in a token: X, and, with a bound key, also N and that key for places which have both by themselves. */
export function expectedInToken({ nonce, value, jkt }: ExpectedBinding): JsonValue {
  return jkt === null ? hex(value) : { value: hex(value), nonce: hex(nonce), jkt };
}

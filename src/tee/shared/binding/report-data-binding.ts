import { hex } from '../../../core/bytes.js';
import type { Checks } from '../../../core/check.js';
import type { CheckId } from '../../../core/codes.js';
import type { JsonObject, JsonValue } from '../../../core/json.js';
import type { ExpectedBinding, FreshnessPlace } from '../../../core/verification.js';
import { heldHex, isPadded, padded } from './held-value.js';
import { type HeldBinding, heldBinding, isBound } from './runtime-data-binding.js';

/** Adds the nonce check to the ids if a nonce is expected. */
export function withNonce(ids: readonly CheckId[], binding: ExpectedBinding | null): readonly CheckId[] {
  return binding === null ? ids : [...ids, 'nonce_mismatch'];
}

/** Bare hardware evidence holds the nonce in the report data, or in runtime data that hashes to the report data. */

/** Requires that the report data is X, followed by zeros. Report data of zeros was never set and does not hold X. */
export function verifyNonceInReportData(
  checks: Checks,
  reportData: Uint8Array,
  place: FreshnessPlace,
  binding: ExpectedBinding | null,
): readonly FreshnessPlace[] {
  if (binding === null) return [];
  const set = reportData.some((byte) => byte !== 0);
  const holds = checks.require(isPadded(reportData, binding.value), 'nonce_mismatch', {
    expected: hex(padded(binding.value)),
    actual: hex(reportData),
    detail: 'report data is the expected value, followed by zeros',
    otherwise: set ? 'report data is not the expected value, followed by zeros' : 'report data was never set',
  });
  return holds ? [place] : [];
}

/**
 * Requires N, and the bound key, in runtime data of software other than a paravisor. Data that is not a JSON object
 * holds neither.
 */
export function verifyNonceInData(
  checks: Checks,
  data: JsonObject | null,
  binding: ExpectedBinding | null,
): readonly FreshnessPlace[] {
  if (binding === null) return [];
  const held = heldBinding(data ?? {}, binding);
  const holds = checks.require(isBound(held, binding), 'nonce_mismatch', {
    ...comparedData(held, binding),
    detail: 'the runtime data holds the nonce, and the bound key where one is sent',
    otherwise: 'the runtime data does not hold this nonce, or does not hold the bound key',
  });
  return holds ? ['runtimeData.nonce'] : [];
}

function comparedData(
  held: HeldBinding,
  { nonce, jkt }: ExpectedBinding,
): { readonly expected: JsonValue; readonly actual: JsonValue } {
  if (jkt === null) return { expected: hex(nonce), actual: heldHex(held.nonce) };
  return { expected: { nonce: hex(nonce), jkt }, actual: { nonce: heldHex(held.nonce), jkt: held.jkt } };
}

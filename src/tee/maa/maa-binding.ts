import { nullIfMalformed } from '../../core/errors.js';
import { isObject, type JsonValue } from '../../core/json.js';
import type { ExpectedBinding } from '../../core/verification.js';
import { decodeHex } from '../../formats/base64.js';
import { base64OrNull, isExactly, isPadded, type NoncePlace } from '../shared/binding/held-value.js';
import { heldBinding, isBound } from '../shared/binding/runtime-data-binding.js';
import { decodeUserData } from '../shared/format/runtime-claims.js';
import type { MaaStatement } from './maa-statement.js';

/**
 * Lists the places in a token that can hold the caller's nonce: values that the hardware signed, or that Azure
 * Attestation sealed to the vTPM of the guest. The claim `nonce` is not such a place. It repeats the request, and any
 * client can submit an old report with a new nonce.
 */
export function noncePlaces(statement: MaaStatement, binding: ExpectedBinding): readonly NoncePlace[] {
  const { runtime } = statement;
  const userData = decodeUserData(runtime?.['user-data'] ?? null);
  const reportData = reportDataOf(statement);
  const inRuntime = heldBinding(runtime ?? {}, binding);
  const payloadNonce = clientPayloadNonceOf(statement);
  return [
    { place: 'maa.userData', field: userData, holds: isPadded(userData, binding.value) },
    { place: 'maa.reportData', field: reportData, holds: isPadded(reportData, binding.value) },
    { place: 'maa.runtimeNonce', field: inRuntime.nonce, holds: isBound(inRuntime, binding) },
    { place: 'maa.clientPayloadNonce', field: payloadNonce, holds: isExactly(payloadNonce, binding.value) },
  ];
}

function reportDataOf({ tee, claims }: MaaStatement): Uint8Array | null {
  const value = claims[tee === 'sevsnpvm' ? 'x-ms-sevsnpvm-reportdata' : 'tdx_report_data'];
  if (typeof value !== 'string' || value.length !== 128) return null;
  return nullIfMalformed(() => decodeHex(value));
}

function clientPayloadNonceOf({ guestRuntime }: MaaStatement): Uint8Array | null {
  const payload: JsonValue | undefined = guestRuntime?.['client-payload'];
  return isObject(payload) ? base64OrNull(payload['nonce']) : null;
}

import { decodeBase64, decodeHex } from '../../formats/base64.js';
import { decodeUserData } from '../../formats/runtime-claims.js';
import { nullIfMalformed } from '../../model/errors.js';
import { isObject, type JsonValue } from '../../model/json.js';
import type { ExpectedBinding, FreshnessPlace } from '../../model/verification.js';
import { isExactly, isPadded } from '../held-value.js';
import { holdsNonceAndKey } from '../runtime-data-binding.js';
import type { MaaStatement } from './maa-statement.js';

/**
 * Places of a token that hold the caller's nonce, in what the hardware signed, or in what the service sealed to the
 * vTPM of the guest (api.md, Freshness and binding). The plain claim `nonce` is none: it echoes the request, and anybody
 * may submit an old report with a nonce of his own.
 */
export function boundPlaces(statement: MaaStatement, binding: ExpectedBinding): readonly FreshnessPlace[] {
  const { runtime } = statement;
  const places: readonly (readonly [FreshnessPlace, boolean])[] = [
    ['maa.userData', runtime !== null && isPadded(decodeUserData(runtime['user-data'] ?? null), binding.value)],
    ['maa.reportData', isPadded(reportDataOf(statement), binding.value)],
    ['maa.runtimeNonce', runtime !== null && holdsNonceAndKey(runtime, binding)],
    ['maa.clientPayloadNonce', isExactly(clientPayloadNonceOf(statement), binding.value)],
  ];
  return places.filter(([, holds]) => holds).map(([place]) => place);
}

function reportDataOf({ tee, claims }: MaaStatement): Uint8Array | null {
  const value = claims[tee === 'sevsnpvm' ? 'x-ms-sevsnpvm-reportdata' : 'tdx_report_data'];
  if (typeof value !== 'string' || value.length !== 128) return null;
  return nullIfMalformed(() => decodeHex(value));
}

function clientPayloadNonceOf({ guestRuntime }: MaaStatement): Uint8Array | null {
  const payload: JsonValue | undefined = guestRuntime?.['client-payload'];
  const nonce = isObject(payload) ? payload['nonce'] : null;
  return typeof nonce === 'string' ? nullIfMalformed(() => decodeBase64(nonce)) : null;
}

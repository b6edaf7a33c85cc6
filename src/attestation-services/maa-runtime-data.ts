import { encodeBase64Url } from '../formats/base64.js';
import { readRuntimeObject } from '../formats/runtime-claims.js';
import type { JsonObject } from '../model/json.js';

/**
 * Member `runtimeData` of a call of Azure Attestation; no member where there is none. A JSON object is sent as such, so
 * that the token shows it as `x-ms-runtime`; what two readers could read differently is sent as bytes.
 */
export function runtimeDataMember(runtimeData: Uint8Array | null): JsonObject {
  if (runtimeData === null) return {};
  const dataType = readRuntimeObject(runtimeData).ok ? 'JSON' : 'Binary';
  return { runtimeData: { data: encodeBase64Url(runtimeData), dataType } };
}

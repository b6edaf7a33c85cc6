import { createHash } from 'node:crypto';
import type { JsonObject } from '../../src/core/json.js';
import { boundValue } from './bound-value.js';

/** The bound value of a guest, and whether it is bound by runtime data. */
export interface ReportDataOptions {
  readonly nonce?: Uint8Array;
  /** Public JWK to bind, together with the nonce. */
  readonly jwk?: JsonObject | null;
  /** `nonce`: JSON with nonce and key; bytes or text as they stand; left out, X is in the report data itself. */
  readonly runtimeData?: 'nonce' | Uint8Array | { readonly text: string };
}

/** The 64 bytes that a guest hands to the firmware, and the runtime data that they are over. */
export interface BoundReportData {
  readonly reportData: Uint8Array;
  readonly runtimeData: Uint8Array | null;
}

export function bindReportData(options: ReportDataOptions): BoundReportData {
  const { nonce = new Uint8Array(), jwk = null } = options;
  const runtimeData = runtimeDataOf(options);
  const reportData = runtimeData === null ? padded(boundValue(nonce, jwk)) : reportDataOver(runtimeData);
  return { reportData, runtimeData };
}

/** Runtime data that holds nonce and key: `nonce` in base64url, the key among `keys`. */
export function nonceRuntimeData(nonce: Uint8Array, jwk: JsonObject | null = null): Uint8Array {
  const data = { nonce: Buffer.from(nonce).toString('base64url'), ...(jwk === null ? {} : { keys: [jwk] }) };
  return Uint8Array.from(Buffer.from(JSON.stringify(data)));
}

/** SHA-256 of the bytes, then zeros. */
export function reportDataOver(bytes: Uint8Array): Uint8Array {
  return padded(createHash('sha256').update(bytes).digest());
}

function runtimeDataOf({ runtimeData, nonce = new Uint8Array(), jwk }: ReportDataOptions): Uint8Array | null {
  if (runtimeData === undefined) return null;
  if (runtimeData === 'nonce') return nonceRuntimeData(nonce, jwk);
  return 'text' in runtimeData ? Uint8Array.from(Buffer.from(runtimeData.text)) : runtimeData;
}

function padded(bytes: Uint8Array): Uint8Array {
  const field = new Uint8Array(64);
  field.set(bytes);
  return field;
}

import { isSameBytes } from '../../core/bytes.js';
import type { Checks } from '../../core/check.js';
import type { RestatedParts } from '../../core/evidence.js';
import { isObject, type JsonValue } from '../../core/json.js';
import { isExactly } from '../shared/binding/held-value.js';
import type { readRuntimeObject } from '../shared/format/runtime-claims.js';

/**
 * Requires that the restated parts equal those of the HCL report. Compares claims member by member. The guest's
 * software writes every member, so a zero value such as `""`, `0`, `false` or `null` counts as absent.
 *
 * @param object the runtime claims, read as JSON
 */
export function verifyRestatedParts(
  checks: Checks,
  { hardwareReport, runtimeClaims }: RestatedParts,
  hcl: { readonly hardwareReport: Uint8Array },
  object: ReturnType<typeof readRuntimeObject>,
): boolean {
  const sameReport = isSameBytes(hardwareReport, hcl.hardwareReport);
  if (!sameReport) checks.fail('hcl_binding', { detail: 'the SNP report beside the HCL report is another one' });
  const sameClaims = object.ok && isStated(runtimeClaims, object.value);
  if (!sameClaims) {
    checks.fail('hcl_binding', { detail: 'the runtime claims beside the HCL report are not those in it' });
  }
  return sameReport && sameClaims;
}

/** Requires that the nonce that the guest states equals extraData of its quote. */
export function verifyRestatedNonce(checks: Checks, { nonce }: RestatedParts, extraData: Uint8Array | null): void {
  if (nonce === null || isExactly(extraData, nonce)) return;
  checks.fail('nonce_mismatch', { detail: 'the nonce beside the quote is not the one in its extraData' });
}

function isStated(stated: JsonValue, actual: JsonValue | undefined): boolean {
  if (actual === undefined || actual === null) return isNone(stated);
  if (Array.isArray(stated)) {
    return (
      Array.isArray(actual) && stated.length === actual.length && stated.every((item, at) => isStated(item, actual[at]))
    );
  }
  if (isObject(stated)) {
    const members = isObject(actual) ? new Map(Object.entries(actual)) : null;
    return members !== null && Object.entries(stated).every(([name, value]) => isStated(value, members.get(name)));
  }
  return stated === actual || (stated === null && isNone(actual));
}

function isNone(value: JsonValue): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (isObject(value)) return Object.values(value).every((member) => member === undefined || isNone(member));
  return value === null || value === '' || value === 0 || value === false;
}

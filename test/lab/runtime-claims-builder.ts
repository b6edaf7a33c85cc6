import type { JsonObject, JsonValue } from '../../src/core/json.js';

/** Runtime claims of the Azure paravisor, member by member. */
export interface RuntimeClaimsFields {
  /** Public JWK members of the attestation key; kid and key_ops are written before them. */
  readonly ak: JsonObject;
  readonly ek: JsonObject;
  /** The whole list in place of `HCLAkPub` and `HCLEkPub`. */
  readonly keys?: readonly JsonValue[];
  /** Members over those that Azure writes; null leaves `vm-configuration` out. */
  readonly vmConfiguration?: JsonObject | null;
  /** Up to 64 bytes, zeros follow; a text stands as it is; null leaves the member out. */
  readonly userData?: Uint8Array | string | null;
  /** Genuine claims of all dates have upper case letters; the source code of the paravisor writes lower case. */
  readonly userDataCase?: 'upper' | 'lower';
  /** Members beside those named here. */
  readonly more?: JsonObject;
}

/** Writes runtime claims as Azure does: compact, keys first. */
export function buildRuntimeClaims(fields: RuntimeClaimsFields): Uint8Array {
  const { vmConfiguration = {}, userData = new Uint8Array(64) } = fields;
  const claims = {
    keys: fields.keys ?? [azureKey('HCLAkPub', ['sign'], fields.ak), azureKey('HCLEkPub', ['encrypt'], fields.ek)],
    ...(vmConfiguration === null ? {} : { 'vm-configuration': { ...azureVmConfiguration(), ...vmConfiguration } }),
    ...(userData === null ? {} : { 'user-data': userDataText(userData, fields.userDataCase ?? 'upper') }),
    ...fields.more,
  };
  return Uint8Array.from(Buffer.from(JSON.stringify(claims)));
}

/** A key as Azure writes it: kid, key_ops, kty, e, n. What `jwk` has beside these follows. */
export function azureKey(kid: string, keyOps: readonly string[], jwk: JsonObject): JsonObject {
  const { kty = null, e = null, n = null, ...more } = jwk;
  return { kid, key_ops: keyOps, kty, e, n, ...more };
}

/** `vm-configuration` of a VM with Secure Boot. */
export function azureVmConfiguration(): JsonObject {
  return {
    'root-cert-thumbprint': '6nZZnYaIc4KqUZ_yvA-mucFdYNouvlPnITnNMXsHl-0',
    'console-enabled': true,
    'secure-boot': true,
    'tpm-enabled': true,
    'tpm-persisted': true,
    vmUniqueId: '7DF7B373-B947-4AAA-96E5-C358F2A03D20',
  };
}

function userDataText(userData: Uint8Array | string, letters: 'upper' | 'lower'): string {
  if (typeof userData === 'string') return userData;
  const bytes = Buffer.alloc(64);
  bytes.set(userData);
  const text = bytes.toString('hex');
  return letters === 'upper' ? text.toUpperCase() : text;
}

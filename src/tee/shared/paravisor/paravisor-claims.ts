import { hex } from '../../../core/bytes.js';
import type { Checks } from '../../../core/check.js';
import type { Claims, HclClaims, SnpClaims, TdxClaims } from '../../../core/claims.js';
import type { JsonObject, JsonValue } from '../../../core/json.js';
import type { RsaPublicKey } from '../../../core/rsa-public-key.js';
import type { ExpectedBinding, FreshnessPlace } from '../../../core/verification.js';
import type { Verified } from '../../../core/verified.js';
import { equalInConstantTime } from '../../../crypto/constant-time.js';
import { sha256 } from '../../../crypto/digest.js';
import { rsaThumbprint } from '../../../crypto/jwk-thumbprint.js';
import { isZero } from '../../../formats/byte-reader.js';
import { modulusBits } from '../../../formats/public-key.js';
import { isPadded, padded } from '../binding/held-value.js';
import { markVerified, present } from '../evidence/mark-verified.js';
import {
  decodeRsaJwk,
  decodeUserData,
  type RuntimeClaims,
  readRuntimeClaims,
  type readRuntimeObject,
} from '../format/runtime-claims.js';

/** Checks of a paravisor's runtime claims, in the order in which they run. */
export const PARAVISOR_CHECKS = ['hcl_duplicate', 'hcl_claims', 'hcl_ak_missing', 'hcl_ak_weak'] as const;

export interface ParavisorClaims {
  readonly ak: Verified<RsaPublicKey>;
  readonly akThumbprint: string;
  /** The 64 bytes of `user-data`; null if it is absent, or is not 64 bytes in hex. */
  readonly userData: Uint8Array | null;
  readonly userDataSent: boolean;
  readonly vmConfiguration: JsonObject | null;
}

/**
 * Requires that the report data is SHA-256 of the runtime data, followed by zeros. Hashes the bytes as sent and never
 * re-serialises them.
 */
export function verifyRuntimeDataHash(checks: Checks, runtimeData: Uint8Array, reportData: Uint8Array): boolean {
  const expected = Buffer.concat([sha256(runtimeData), Buffer.alloc(32)]);
  return checks.require(equalInConstantTime(expected, reportData), 'hcl_binding', {
    expected: hex(expected),
    actual: hex(reportData),
  });
}

/**
 * Verifies runtime claims with a matching hash. Records the checks, and returns null if the claims cannot be relied on.
 *
 * @param object the runtime data, read as JSON
 */
export function verifyParavisorClaims(
  checks: Checks,
  object: ReturnType<typeof readRuntimeObject>,
): ParavisorClaims | null {
  const claims = object.ok ? readRuntimeClaims(object.value) : object;
  const result = claims.ok ? verifyClaims(checks, claims.value) : recordFault(checks, claims);
  checks.skipRest(PARAVISOR_CHECKS, 'the runtime claims cannot be relied on');
  return result;
}

function recordFault(
  checks: Checks,
  fault: { readonly code: 'hcl_duplicate' | 'hcl_claims'; readonly detail: string },
): null {
  checks.fail(fault.code, { detail: fault.detail });
  return null;
}

function verifyClaims(checks: Checks, claims: RuntimeClaims): ParavisorClaims | null {
  checks.pass('hcl_duplicate');
  const key = claims.keys.find((candidate) => candidate['kid'] === 'HCLAkPub');
  const present = checks.require(key !== undefined, 'hcl_ak_missing', {
    expected: 'HCLAkPub',
    actual: claims.keys.map((candidate) => candidate['kid'] ?? null),
  });
  if (key === undefined || !present) return null;
  const ak = verifyAttestationKey(checks, key);
  if (ak === null) return null;
  return {
    ak: markVerified(ak),
    akThumbprint: rsaThumbprint(ak),
    userData: decodeUserData(claims.userData),
    userDataSent: claims.userData !== null,
    vmConfiguration: claims.vmConfiguration,
  };
}

/** Members of a private or symmetric JWK (RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const;

/**
 * Requires that HCLAkPub is a public RSA key of at least 2048 bits with exponent 65537.
 * Ignores `key_ops`: genuine claims of 2022 and 2023 have `encrypt` for this signing key.
 */
function verifyAttestationKey(checks: Checks, jwk: JsonObject): RsaPublicKey | null {
  const key = jwk['kty'] === 'RSA' ? decodeRsaJwk(jwk) : null;
  const fault = attestationKeyFault(jwk, key);
  if (fault !== null) {
    checks.fail('hcl_claims', { detail: fault });
    return null;
  }
  checks.pass('hcl_claims');
  const strong = key !== null && modulusBits(key.n) >= 2048 && isF4(key.e);
  checks.require(strong, 'hcl_ak_weak', {
    expected: 'RSA, 2048 bits or more, exponent 65537',
    actual: key === null ? (jwk['kty'] ?? null) : `RSA, ${modulusBits(key.n)} bits`,
  });
  return strong ? key : null;
}

function attestationKeyFault(jwk: JsonObject, key: RsaPublicKey | null): string | null {
  if (PRIVATE_MEMBERS.some((member) => member in jwk)) return 'HCLAkPub has members of a private key';
  if (jwk['kty'] !== 'RSA') return null;
  const alg: JsonValue = jwk['alg'] ?? null;
  if (alg !== null && !(typeof alg === 'string' && /^[RP]S(256|384|512)$/.test(alg))) {
    return 'alg of HCLAkPub is not one of an RSA signing key';
  }
  if (key === null) return 'HCLAkPub is not an RSA key in base64url';
  return key.n[0] === 0 || key.e[0] === 0 ? 'a member of HCLAkPub has leading zeros' : null;
}

function isF4(e: Uint8Array): boolean {
  return equalInConstantTime(e, Uint8Array.of(1, 0, 1));
}

/**
 * Requires that `user-data` is X, followed by zeros, if it was set. Records nothing if it is absent or all zeros: the
 * freshness rule of the policy covers that. Any other value means that the report is stale or for another nonce.
 *
 * @returns whether it holds X
 */
export function verifyUserData(checks: Checks, claims: ParavisorClaims, binding: ExpectedBinding | null): boolean {
  if (binding === null) return false;
  if (binding.pem !== undefined) return verifyPemInUserData(checks, claims, binding.pem);
  if (!userDataIsSet(claims)) return false;
  return checks.require(isPadded(claims.userData, binding.value), 'nonce_mismatch', {
    ...comparedUserData(claims, binding),
    detail: 'user-data of the runtime claims is the expected value, followed by zeros',
    otherwise: 'user-data of the runtime claims is another value: the hardware report is stale, or for another nonce',
  });
}

/** Requires the digest of the key as PEM in `user-data`. Returns false, because the field holds no nonce. */
function verifyPemInUserData(
  checks: Checks,
  { userData }: ParavisorClaims,
  { text }: NonNullable<ExpectedBinding['pem']>,
): false {
  const expected = sha256(text);
  checks.require(isPadded(userData, expected), 'nonce_mismatch', {
    expected: hex(padded(expected)),
    actual: userData === null ? null : hex(userData),
    detail: 'user-data of the runtime claims is the SHA-256 of the key as PEM, followed by zeros; it holds no nonce',
    otherwise: 'user-data of the runtime claims is not the SHA-256 of the key as PEM, followed by zeros',
  });
  return false;
}

/** Requires the nonce in `user-data`, the only place for it in a paravisor's runtime claims. */
export function verifyNonceInUserData(
  checks: Checks,
  claims: ParavisorClaims,
  binding: ExpectedBinding | null,
): readonly FreshnessPlace[] {
  if (binding === null) return [];
  if (verifyUserData(checks, claims, binding)) return ['hcl.userData'];
  if (!checks.ran('nonce_mismatch')) {
    checks.fail('nonce_mismatch', {
      ...comparedUserData(claims, binding),
      detail: 'user-data of the runtime claims was never set',
    });
  }
  return [];
}

/** The expected and the actual `user-data`. The actual one is null if it is absent, or is not 64 bytes in hex. */
function comparedUserData(
  { userData }: ParavisorClaims,
  { value }: ExpectedBinding,
): { readonly expected: string; readonly actual: string | null } {
  return { expected: hex(padded(value)), actual: userData === null ? null : hex(userData) };
}

function userDataIsSet(claims: ParavisorClaims): boolean {
  return claims.userDataSent && !(claims.userData !== null && isZero(claims.userData));
}

export function hclClaims(
  claims: ParavisorClaims,
  reportType: HclClaims['reportType'],
  paravisor: HclClaims['paravisor'],
): HclClaims {
  return {
    reportType,
    paravisor,
    akThumbprint: claims.akThumbprint,
    userData: claims.userData === null ? null : hex(claims.userData),
    ...present({ vmConfiguration: claims.vmConfiguration }),
  };
}

/**
 * Requires VMPL 0, at which a paravisor requests its report. The guest's operating system requests reports at VMPL 1 or
 * above, and the host at 0xFFFFFFFF. Either could put the hash of its own claims into the report.
 */
export function verifyParavisorVmpl(checks: Checks, snp: Verified<SnpClaims>): boolean {
  return checks.require(snp.vmpl === 0, 'snp_vmpl', {
    expected: 0,
    actual: snp.vmpl,
  });
}

/** The minimum security version by ID_KEY_DIGEST, in lower-case hex. */
export type ParavisorFloors = ReadonlyMap<string, number>;

/** Mask of the security version in GUEST_SVN. The upper half names a branch of the paravisor. */
const SECURITY_VERSION = 0xffff;

/**
 * Identifies the paravisor by ID_KEY_DIGEST. The owner of any genuine server can boot a guest that writes such runtime
 * claims. Only the digest of the key that signed the ID block shows that the guest is Microsoft's paravisor. That key
 * signed versions below the floor too, and they have flaws that later versions fix.
 */
export function paravisorByIdKey(snp: Verified<SnpClaims>, floors: ParavisorFloors): HclClaims['paravisor'] {
  const floor = floors.get(snp.idKeyDigest);
  const known = snp.vmpl === 0 && floor !== undefined && (snp.guestSvn & SECURITY_VERSION) >= floor;
  return { known, by: known ? 'idKeyDigest' : null };
}

/** The floor for a report's ID_KEY_DIGEST as a member of the verification; absent if the digest is not listed. */
export function floorMember(
  snp: Verified<SnpClaims> | null,
  floors: ParavisorFloors,
): { readonly paravisorMinGuestSvn?: number } {
  const floor = snp === null ? undefined : floors.get(snp.idKeyDigest);
  return floor === undefined ? {} : { paravisorMinGuestSvn: floor };
}

/**
 * Identifies the paravisor of a TD by MRTD. Microsoft publishes no MRTDs, so the operator lists the known ones. A VMID
 * other than 0 (body type 4) means that a VM inside the TD requested the report. The measurements do not cover that VM,
 * and it could put the hash of its own claims into the report.
 */
export function paravisorByMrtd(
  tdx: Verified<TdxClaims>,
  vmId: number,
  mrtds: ReadonlySet<string>,
): HclClaims['paravisor'] {
  const known = mrtds.has(tdx.mrtd) && vmId === 0;
  return { known, by: known ? 'mrtd' : null };
}

/**
 * Marks the paravisor as known by a token. The caller has verified that the token is about the same TEE, that its
 * issuer has a pinned policy, and that it states a compliant confidential VM. If the hardware already identified the
 * paravisor, the claims stay as they are. If only the AK certificate did, the withheld configuration becomes a claim.
 */
export function paravisorByMaa(claims: Verified<Claims>, withheld?: JsonObject): Verified<Claims> {
  const { hcl } = claims;
  if (hcl === undefined || (hcl.paravisor.known && hcl.paravisor.by !== 'akCertificate')) return claims;
  const vmConfiguration = withheld === undefined ? {} : { vmConfiguration: withheld };
  return markVerified({ ...claims, hcl: { ...hcl, paravisor: { known: true, by: 'maa' }, ...vmConfiguration } });
}

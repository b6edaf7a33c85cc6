import type { Claims, TokenClaims } from '../../../../src/core/claims.js';
import type { CrossCheck } from '../../../../src/core/decision.js';
import type { EvidenceType } from '../../../../src/core/evidence.js';
import type { JsonObject, JsonValue } from '../../../../src/core/json.js';
import type { Verified } from '../../../../src/core/verified.js';
import { jwkThumbprint } from '../../../../src/crypto/jwk-thumbprint.js';
import { crossCheck, type OtherView } from '../../../../src/judge/cross-check/cross-check.js';
import { hardwareView } from '../../../../src/judge/cross-check/hardware-view.js';
import type { TeeView } from '../../../../src/judge/cross-check/statement.js';
import { itaTokenView, maaTokenView } from '../../../../src/judge/cross-check/token-views.js';
import { hclClaims, snpClaims, tdxClaims } from '../../policy/fixture.js';

/** One VM as three verifiers state it. The payloads are written out, and not made by what is tested. */

export const AK_JWK = { kty: 'RSA', e: 'AQAB', n: Buffer.alloc(256, 0xd7).toString('base64url') };
export const OTHER_JWK = { kty: 'RSA', e: 'AQAB', n: Buffer.alloc(256, 0xd5).toString('base64url') };
export const USER_DATA = `c0ffee${'00'.repeat(61)}`;
const VM_ID = '5a0c7d1e-1f2b-4c3d-8e9f-0a1b2c3d4e5f';

export const RUNTIME: JsonObject = {
  keys: [{ kid: 'HCLAkPub', key_ops: ['sign'], ...AK_JWK }],
  'vm-configuration': {
    'console-enabled': true,
    'current-time': 1671835548,
    'secure-boot': true,
    'tpm-enabled': true,
    vmUniqueId: VM_ID.toUpperCase(),
  },
  'user-data': USER_DATA.toUpperCase(),
};

/** The claims of Azure Attestation about the hardware of `azClaims`. */
export const SEVSNPVM: JsonObject = {
  'x-ms-attestation-type': 'sevsnpvm',
  'x-ms-compliance-status': 'azure-compliant-cvm',
  'x-ms-runtime': RUNTIME,
  'x-ms-sevsnpvm-authorkeydigest': '00'.repeat(48),
  'x-ms-sevsnpvm-bootloader-svn': 4,
  'x-ms-sevsnpvm-familyId': '01'.repeat(16),
  'x-ms-sevsnpvm-guestsvn': 7,
  'x-ms-sevsnpvm-hostdata': 'd4'.repeat(32),
  'x-ms-sevsnpvm-idkeydigest': 'b2'.repeat(48),
  'x-ms-sevsnpvm-imageId': '02'.repeat(16),
  'x-ms-sevsnpvm-is-debuggable': false,
  'x-ms-sevsnpvm-launchmeasurement': 'a1'.repeat(48),
  'x-ms-sevsnpvm-microcode-svn': 219,
  'x-ms-sevsnpvm-migration-allowed': false,
  'x-ms-sevsnpvm-reportdata': '33'.repeat(64),
  'x-ms-sevsnpvm-reportid': '11'.repeat(32),
  'x-ms-sevsnpvm-smt-allowed': true,
  'x-ms-sevsnpvm-snpfw-svn': 24,
  'x-ms-sevsnpvm-tee-svn': 0,
  'x-ms-sevsnpvm-vmpl': 0,
};

export const AZUREVM: JsonObject = {
  iss: 'https://sharedweu.weu.attest.azure.net',
  secureboot: true,
  'x-ms-attestation-type': 'azurevm',
  'x-ms-azurevm-vmid': VM_ID.toUpperCase(),
  'x-ms-isolation-tee': SEVSNPVM,
  'x-ms-runtime': { 'client-payload': { nonce: '' }, keys: [{ kid: 'TpmEphemeralEncryptionKey', ...OTHER_JWK }] },
};

const TD: JsonObject = {
  attester_tcb_status: 'UpToDate',
  tdx_mrtd: 'a0'.repeat(48),
  tdx_rtmr0: 'b0'.repeat(48),
  tdx_rtmr1: 'b1'.repeat(48),
  tdx_rtmr2: 'b2'.repeat(48),
  tdx_rtmr3: 'b3'.repeat(48),
  tdx_mrconfigid: 'c0'.repeat(48),
  tdx_mrowner: 'c1'.repeat(48),
  tdx_mrownerconfig: 'c2'.repeat(48),
  tdx_mrseam: 'd0'.repeat(48),
  tdx_mrsignerseam: '00'.repeat(48),
  tdx_report_data: 'e0'.repeat(64),
  tdx_tee_tcb_svn: '0d010400000000000000000000000000',
  tdx_xfam: 'e702060000000000',
  tdx_td_attributes_debug: false,
  tdx_td_attributes_septve_disable: true,
  tdx_td_attributes_protection_keys: false,
  tdx_td_attributes_key_locker: false,
  tdx_td_attributes_perfmon: false,
};

export const TDXVM: JsonObject = { 'x-ms-attestation-type': 'tdxvm', ...TD };

/** The claims of Azure Attestation about the hardware of `azTdxClaims`. */
export const TDXVM_AZURE: JsonObject = {
  ...TDXVM,
  'x-ms-compliance-status': 'azure-compliant-cvm',
  'x-ms-runtime': RUNTIME,
};

export const AZUREVM_TDX: JsonObject = { ...AZUREVM, 'x-ms-isolation-tee': TDXVM_AZURE };

export const ITA_FLAT: JsonObject = { attester_type: 'TDX', ...TD, tdx_is_debuggable: false, tdx_is_migratable: false };

export const ITA_NESTED: JsonObject = { ver: '2.0.0', tdx: ITA_FLAT };

export function azClaims(overrides: Claims = {}): Claims {
  return { snp: snpClaims(), hcl: azHcl(), ...overrides };
}

export function azTdxClaims(overrides: Claims = {}): Claims {
  return { tdx: tdxClaims(), hcl: azHcl({ reportType: 'tdx' }), ...overrides };
}

export function azHcl(overrides: Parameters<typeof hclClaims>[0] = {}) {
  return hclClaims({
    akThumbprint: jwkThumbprint(AK_JWK) ?? '',
    userData: USER_DATA,
    vmConfiguration: {
      consoleEnabled: true,
      currentTime: 1671835548,
      secureBoot: true,
      tpmEnabled: true,
      vmUniqueId: VM_ID,
    },
    ...overrides,
  });
}

export function verified(claims: Claims): Verified<Claims> {
  return claims as Verified<Claims>;
}

export function hardware(claims: Claims = azClaims(), type: EvidenceType = 'az-snp-vtpm'): TeeView {
  return there(hardwareView(verified(claims), type));
}

export function maa(payload: JsonObject): TeeView {
  return there(maaTokenView(verified({ maa: tokenClaims(payload, 'x-ms-attestation-type') }), jwkThumbprint));
}

export function ita(payload: JsonObject, attestationType = 'TDX'): TeeView {
  return there(itaTokenView(verified({ ita: { ...tokenClaims(payload, ''), attestationType } }), jwkThumbprint));
}

function tokenClaims(claims: JsonObject, typeMember: string): TokenClaims {
  return {
    issuer: 'https://issuer.example',
    attestationType: String(claims[typeMember]),
    policyHash: null,
    claims,
    stated: { complianceStatus: null, secureBoot: null, tcbStatus: null, matchedPolicyIds: [] },
  };
}

function there(view: TeeView | null): TeeView {
  if (view === null) throw new Error('no view');
  return view;
}

export function compared(first: TeeView, view: TeeView, sameReport = false): CrossCheck {
  return crossCheck(first, [{ view, sameReport } satisfies OtherView]);
}

/** A copy of an object in which the member at a path is another; undefined takes it out. */
export function altered(object: JsonObject, path: readonly string[], value: JsonValue | undefined): JsonObject {
  const [name = '', ...rest] = path;
  const { [name]: inner, ...others } = object;
  if (rest.length === 0) return value === undefined ? others : { ...others, [name]: value };
  const changed = Array.isArray(inner)
    ? Object.values(altered(Object.fromEntries(Object.entries(inner)) as JsonObject, rest, value))
    : altered(inner as JsonObject, rest, value);
  return { ...others, [name]: changed };
}

/** Paths of all values that hold no further ones. */
export function leaves(value: JsonValue, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([name, inner]) => leaves(inner, [...path, name]));
}

export function valueAt(value: JsonValue, path: readonly string[]): JsonValue {
  return path.reduce<JsonValue>((inner, name) => (inner as JsonObject | null)?.[name] ?? null, value);
}

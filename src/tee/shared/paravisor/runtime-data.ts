import type { Checks } from '../../../core/check.js';
import type { HclClaims } from '../../../core/claims.js';
import type { CheckId } from '../../../core/codes.js';
import type { ExpectedBinding, FreshnessPlace } from '../../../core/verification.js';
import type { Verified } from '../../../core/verified.js';
import { equalInConstantTime } from '../../../crypto/constant-time.js';
import { verifyNonceInData, verifyNonceInReportData, withNonce } from '../binding/report-data-binding.js';
import { namesAttestationKey, readRuntimeObject } from '../format/runtime-claims.js';
import {
  hclClaims,
  PARAVISOR_CHECKS,
  verifyNonceInUserData,
  verifyParavisorClaims,
  verifyRuntimeDataHash,
} from './paravisor-claims.js';

export const RUNTIME_DATA = '/evidence/runtimeData';

/** Bare hardware evidence. The guest puts X, or the hash of runtime data, into the report data. */
export interface BareEvidence {
  readonly tee: 'snp' | 'tdx';
  /** REPORT_DATA or REPORTDATA; null if the evidence could not be relied on. */
  readonly reportData: Verified<Uint8Array> | null;
  readonly runtimeData: Uint8Array | null;
  readonly binding: ExpectedBinding | null;
  /** Identifies the paravisor by the hardware evidence. Returns null if the evidence yields no claims. */
  readonly paravisor: () => HclClaims['paravisor'] | null;
}

export interface RuntimeData {
  readonly hcl: HclClaims | null;
  /** The runtime data, if the report data holds its SHA-256; else null. */
  readonly hashed: Uint8Array | null;
  readonly bound: readonly FreshnessPlace[];
}

const NOTHING: RuntimeData = { hcl: null, hashed: null, bound: [] };

const NAMES = { snp: 'report', tdx: 'quote' } as const;

/**
 * Verifies the report data of bare hardware evidence.
 *
 * @param checks the checks of the report or quote
 */
export function verifyReportData(checks: Checks, bare: BareEvidence): RuntimeData {
  const { tee, reportData, runtimeData, binding } = bare;
  if (reportData === null) {
    const ids: readonly CheckId[] = runtimeData === null ? [] : ['hcl_binding', ...PARAVISOR_CHECKS];
    checks.skip(withNonce(ids, binding), `the ${NAMES[tee]} could not be relied on`);
    return NOTHING;
  }
  if (runtimeData === null && binding?.pem !== undefined) {
    verifyPemIsData(checks, null, binding.pem);
    return NOTHING;
  }
  if (runtimeData === null) {
    const bound = verifyNonceInReportData(checks, reportData, `${tee}.reportData`, binding);
    return { ...NOTHING, bound };
  }
  const ofData = checks.at(RUNTIME_DATA);
  if (!verifyRuntimeDataHash(ofData, runtimeData, reportData)) {
    const because = `the runtime data is not that of the ${NAMES[tee]}`;
    ofData.skip(withNonce(PARAVISOR_CHECKS, binding), because);
    return NOTHING;
  }
  if (binding?.pem !== undefined) {
    verifyPemIsData(ofData, runtimeData, binding.pem);
    return { ...NOTHING, hashed: runtimeData };
  }
  return { ...verifyRuntimeData(ofData, runtimeData, bare), hashed: runtimeData };
}

/** Requires that the runtime data is the key as PEM. It then holds no nonce, and is not the claims of a paravisor. */
function verifyPemIsData(checks: Checks, data: Uint8Array | null, { text }: NonNullable<ExpectedBinding['pem']>): void {
  checks.require(data !== null && equalInConstantTime(data, text), 'nonce_mismatch', {
    detail: 'the runtime data is the key as PEM; it holds no nonce',
    otherwise: 'the evidence has no runtime data that is the key as PEM',
  });
}

/**
 * Verifies runtime data with `HCLAkPub` as the claims of Azure's paravisor. Other JSON may hold nonce and key. Data
 * that is not JSON holds neither, and only its hash is verified.
 */
function verifyRuntimeData(
  checks: Checks,
  runtimeData: Uint8Array,
  bare: BareEvidence,
): Pick<RuntimeData, 'hcl' | 'bound'> {
  const { tee, binding } = bare;
  const object = readRuntimeObject(runtimeData);
  if (!object.ok && object.code === 'hcl_duplicate') checks.fail('hcl_duplicate', { detail: object.detail });
  if (!object.ok || !namesAttestationKey(object.value)) {
    return { hcl: null, bound: verifyNonceInData(checks, object.ok ? object.value : null, binding) };
  }
  const claims = verifyParavisorClaims(checks, object);
  const paravisor = bare.paravisor();
  if (claims === null) {
    checks.skip(withNonce([], binding), 'the runtime claims cannot be relied on');
    return NOTHING;
  }
  const bound = verifyNonceInUserData(checks, claims, binding);
  return { hcl: paravisor === null ? null : hclClaims(claims, tee, paravisor), bound };
}

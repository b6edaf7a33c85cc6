import { inject, injectable } from 'tsyringe';
import { TOKENS } from '../../composition/tokens.js';
import { equalInConstantTime } from '../../crypto/constant-time.js';
import { readRuntimeObject } from '../../formats/runtime-claims.js';
import { CheckList } from '../../model/check.js';
import type { Claims, HclClaims, SnpClaims } from '../../model/claims.js';
import type { CheckId } from '../../model/codes.js';
import type { EndorsementRequest } from '../../model/endorsement.js';
import type { SnpEvidence } from '../../model/evidence.js';
import type { JsonObject } from '../../model/json.js';
import type {
  EvidenceVerifier,
  ExpectedBinding,
  FreshnessPlace,
  SnpReportVerification,
  SnpReportVerifier,
  Verification,
  VerificationContext,
} from '../../model/verification.js';
import type { Verified } from '../../model/verified.js';
import { markVerified } from '../mark-verified.js';
import {
  hclClaims,
  PARAVISOR_CHECKS,
  type ParavisorClaims,
  paravisorByIdKey,
  verifyParavisorClaims,
  verifyParavisorVmpl,
  verifyRuntimeDataHash,
  verifyUserData,
} from '../paravisor-claims.js';
import { holdsNonceAndKey } from '../runtime-data-binding.js';
import { submissionOf } from '../submission.js';

const REPORT = '/evidence/report';
const ABOUT = { report: REPORT, endorsements: '/evidence/endorsements' };
const RUNTIME_DATA = '/evidence/runtimeData';

/** What runtime data came to. */
interface RuntimeData {
  readonly hcl: HclClaims | null;
  readonly bound: readonly FreshnessPlace[];
}

const NO_RUNTIME_DATA: RuntimeData = { hcl: null, bound: [] };

/** Verifies a bare SEV-SNP report, with or without the runtime data that its REPORT_DATA is the hash of. */
@injectable()
export class SnpVerifier implements EvidenceVerifier<'snp'> {
  readonly evidenceType = 'snp';
  readonly #reports: SnpReportVerifier;
  readonly #idKeyDigests: ReadonlySet<string>;

  /** @param idKeyDigests ID_KEY_DIGESTs of paravisors that count as known, lower-case hex */
  constructor(
    @inject(TOKENS.snpReportVerifier) reports: SnpReportVerifier,
    @inject(TOKENS.paravisorIdKeyDigests) idKeyDigests: ReadonlySet<string>,
  ) {
    this.#reports = reports;
    this.#idKeyDigests = idKeyDigests;
  }

  endorsementsFor(evidence: SnpEvidence): readonly EndorsementRequest[] {
    return this.#reports.reportEndorsements(evidence.report, evidence.endorsements, ABOUT);
  }

  async verify(evidence: SnpEvidence, context: VerificationContext): Promise<Verification> {
    const report = await this.#reports.verifyReport(evidence.report, evidence.endorsements, {
      at: context.at,
      endorsements: context.endorsements,
      about: ABOUT,
    });
    const checks = new CheckList();
    checks.addAll(report.checks);
    const data = this.#verifyReportData(checks, evidence.runtimeData, report, context.binding);
    return {
      checks: checks.all,
      required: [...report.required, ...requiredOf(evidence, context)],
      claims: claimsOf(report.claims, data.hcl),
      endorsements: report.endorsements,
      bound: data.bound,
      validUntil: report.validUntil,
      submission: submissionOf(evidence.report, evidence.runtimeData, report),
    };
  }

  #verifyReportData(
    checks: CheckList,
    runtimeData: Uint8Array | null,
    { claims, reportData }: SnpReportVerification,
    binding: ExpectedBinding | null,
  ): RuntimeData {
    if (claims === null || reportData === null) {
      const ids: readonly CheckId[] = runtimeData === null ? [] : ['hcl_binding', ...PARAVISOR_CHECKS];
      checks.skip(binding === null ? ids : [...ids, 'nonce_mismatch'], REPORT, 'the report could not be relied on');
      return NO_RUNTIME_DATA;
    }
    if (runtimeData === null) return { hcl: null, bound: verifyNonceInReportData(checks, reportData, binding) };
    if (!verifyRuntimeDataHash(checks, runtimeData, reportData, RUNTIME_DATA)) {
      checks.skip(
        binding === null ? PARAVISOR_CHECKS : [...PARAVISOR_CHECKS, 'nonce_mismatch'],
        RUNTIME_DATA,
        'the runtime data is not that of the report',
      );
      return NO_RUNTIME_DATA;
    }
    return this.#verifyRuntimeData(checks, runtimeData, claims, binding);
  }

  /**
   * Runtime data of Azure's paravisor (it has `HCLAkPub`) is judged as such; any other JSON may hold nonce and key.
   * Data that is no JSON holds neither, and is left at the hash.
   */
  #verifyRuntimeData(
    checks: CheckList,
    runtimeData: Uint8Array,
    claims: Verified<SnpClaims>,
    binding: ExpectedBinding | null,
  ): RuntimeData {
    const object = readRuntimeObject(runtimeData);
    if (!object.ok && object.code === 'hcl_duplicate') {
      checks.fail('hcl_duplicate', RUNTIME_DATA, { detail: object.detail });
    }
    if (!object.ok || !namesAttestationKey(object.value)) {
      return { hcl: null, bound: verifyNonceInData(checks, object.ok ? object.value : null, binding) };
    }
    const paravisor = verifyParavisorClaims(checks, runtimeData, RUNTIME_DATA);
    const behind = verifyParavisorVmpl(checks, claims, REPORT);
    if (paravisor === null) {
      if (binding !== null) checks.skip(['nonce_mismatch'], RUNTIME_DATA, 'the runtime claims cannot be relied on');
      return NO_RUNTIME_DATA;
    }
    const bound = verifyNonceInUserData(checks, paravisor, binding);
    const known = paravisorByIdKey(claims, this.#idKeyDigests);
    return { hcl: behind ? hclClaims(paravisor, 'snp', known) : null, bound };
  }
}

function requiredOf(evidence: SnpEvidence, { binding }: VerificationContext): readonly CheckId[] {
  return [
    ...(evidence.runtimeData === null ? [] : (['hcl_binding'] as const)),
    ...(binding === null ? [] : (['nonce_mismatch'] as const)),
  ];
}

function namesAttestationKey(object: JsonObject): boolean {
  return Array.isArray(object['keys']) && object['keys'].some((key) => key?.['kid'] === 'HCLAkPub');
}

function claimsOf(snp: Verified<SnpClaims> | null, hcl: HclClaims | null): Verified<Claims> {
  return markVerified({ ...(snp === null ? {} : { snp }), ...(hcl === null ? {} : { hcl }) });
}

/** X in REPORT_DATA, followed by zeros. All zero is "not set" and never holds X. */
function verifyNonceInReportData(
  checks: CheckList,
  reportData: Uint8Array,
  binding: ExpectedBinding | null,
): readonly FreshnessPlace[] {
  if (binding === null) return [];
  const expected = Buffer.alloc(64);
  expected.set(binding.value);
  const set = reportData.some((byte) => byte !== 0);
  const holds = checks.require(set && equalInConstantTime(reportData, expected), 'nonce_mismatch', REPORT, {
    detail: 'report data is the expected value, followed by zeros',
    otherwise: set ? 'report data holds something else than the expected value and zeros' : 'report data was never set',
  });
  return holds ? ['snp.reportData'] : [];
}

function verifyNonceInData(
  checks: CheckList,
  data: JsonObject | null,
  binding: ExpectedBinding | null,
): readonly FreshnessPlace[] {
  if (binding === null) return [];
  const holds = checks.require(data !== null && holdsNonceAndKey(data, binding), 'nonce_mismatch', RUNTIME_DATA, {
    detail: 'the runtime data holds the nonce, and the bound key where one is sent',
    otherwise: 'the runtime data does not hold this nonce, or not the bound key',
  });
  return holds ? ['runtimeData.nonce'] : [];
}

/** Here user-data is the only place: where it was never set, the nonce stands nowhere. */
function verifyNonceInUserData(
  checks: CheckList,
  claims: ParavisorClaims,
  binding: ExpectedBinding | null,
): readonly FreshnessPlace[] {
  if (binding === null) return [];
  if (verifyUserData(checks, claims, binding, RUNTIME_DATA)) return ['hcl.userData'];
  if (!checks.ran('nonce_mismatch')) {
    checks.fail('nonce_mismatch', RUNTIME_DATA, { detail: 'user-data of the runtime claims was never set' });
  }
  return [];
}

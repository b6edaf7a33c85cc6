import { inject, injectable } from 'tsyringe';
import { namesAttestationKey, readRuntimeObject } from '../../formats/runtime-claims.js';
import { CheckList } from '../../model/check.js';
import type { Claims, HclClaims, SnpClaims } from '../../model/claims.js';
import type { CheckId } from '../../model/codes.js';
import type { EndorsementRequest } from '../../model/endorsement.js';
import type { SnpEvidence } from '../../model/evidence.js';
import { TOKENS } from '../../model/injection-tokens.js';
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
import { verifyNonceInData, verifyNonceInReportData, verifyNonceInUserData } from '../binding/report-data-binding.js';
import { markVerified } from '../evidence/mark-verified.js';
import { submissionOf } from '../evidence/submission.js';
import {
  floorMember,
  hclClaims,
  PARAVISOR_CHECKS,
  type ParavisorFloors,
  paravisorByIdKey,
  verifyParavisorClaims,
  verifyParavisorVmpl,
  verifyRuntimeDataHash,
} from '../paravisor/paravisor-claims.js';

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
  readonly #floors: ParavisorFloors;

  /** @param floors ID_KEY_DIGESTs of paravisors that count as known */
  constructor(
    @inject(TOKENS.snpReportVerifier) reports: SnpReportVerifier,
    @inject(TOKENS.paravisorFloors) floors: ParavisorFloors,
  ) {
    this.#reports = reports;
    this.#floors = floors;
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
      ...floorMember(report.claims, this.#floors),
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
    if (runtimeData === null)
      return { hcl: null, bound: verifyNonceInReportData(checks, reportData, 'snp.reportData', binding, REPORT) };
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
      return { hcl: null, bound: verifyNonceInData(checks, object.ok ? object.value : null, binding, RUNTIME_DATA) };
    }
    const paravisor = verifyParavisorClaims(checks, runtimeData, RUNTIME_DATA);
    const behind = verifyParavisorVmpl(checks, claims, REPORT);
    if (paravisor === null) {
      if (binding !== null) checks.skip(['nonce_mismatch'], RUNTIME_DATA, 'the runtime claims cannot be relied on');
      return NO_RUNTIME_DATA;
    }
    const bound = verifyNonceInUserData(checks, paravisor, binding, RUNTIME_DATA);
    const known = paravisorByIdKey(claims, this.#floors);
    return { hcl: behind ? hclClaims(paravisor, 'snp', known) : null, bound };
  }
}

function requiredOf(evidence: SnpEvidence, { binding }: VerificationContext): readonly CheckId[] {
  return [
    ...(evidence.runtimeData === null ? [] : (['hcl_binding'] as const)),
    ...(binding === null ? [] : (['nonce_mismatch'] as const)),
  ];
}

function claimsOf(snp: Verified<SnpClaims> | null, hcl: HclClaims | null): Verified<Claims> {
  return markVerified({ ...(snp === null ? {} : { snp }), ...(hcl === null ? {} : { hcl }) });
}

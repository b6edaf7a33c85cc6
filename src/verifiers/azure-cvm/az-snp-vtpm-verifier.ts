import { inject, injectable } from 'tsyringe';
import { TOKENS } from '../../composition/tokens.js';
import { type HclReport, parseHclReport } from '../../formats/hcl-report.js';
import { CheckList } from '../../model/check.js';
import type { Claims } from '../../model/claims.js';
import type { CheckId } from '../../model/codes.js';
import type { EndorsementRequest } from '../../model/endorsement.js';
import { FormatError, within } from '../../model/errors.js';
import type { AzSnpVtpmEvidence } from '../../model/evidence.js';
import type {
  EvidenceVerifier,
  FreshnessPlace,
  SnpReportVerification,
  SnpReportVerifier,
  TpmQuoteVerifier,
  Verification,
  VerificationContext,
} from '../../model/verification.js';
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
import { readOnce } from '../read-once.js';
import { submissionOf } from '../submission.js';

const HCL_REPORT = '/evidence/hclReport';
const ABOUT = { report: HCL_REPORT, endorsements: '/evidence/endorsements' };
const TPM_QUOTE = '/evidence/tpmQuote';

/** What has to have an outcome beside the checks of the hardware report. */
const PARAVISOR_REQUIRED = ['hcl_binding', 'snp_vmpl', ...PARAVISOR_CHECKS] as const satisfies readonly CheckId[];

/**
 * Verifies evidence of an Azure confidential VM on SEV-SNP: hardware report, runtime claims by their hash in
 * REPORT_DATA, attestation key of the vTPM by the claims, quote by that key. The steps, and the checks that are
 * deliberately not made, are in README.md beside this file.
 */
@injectable()
export class AzSnpVtpmVerifier implements EvidenceVerifier<'az-snp-vtpm'> {
  readonly evidenceType = 'az-snp-vtpm';
  readonly #reports: SnpReportVerifier;
  readonly #quotes: TpmQuoteVerifier;
  readonly #idKeyDigests: ReadonlySet<string>;

  /** @param idKeyDigests ID_KEY_DIGESTs of paravisors that count as known, lower-case hex */
  constructor(
    @inject(TOKENS.snpReportVerifier) reports: SnpReportVerifier,
    @inject(TOKENS.tpmQuoteVerifier) quotes: TpmQuoteVerifier,
    @inject(TOKENS.paravisorIdKeyDigests) idKeyDigests: ReadonlySet<string>,
  ) {
    this.#reports = reports;
    this.#quotes = quotes;
    this.#idKeyDigests = idKeyDigests;
  }

  endorsementsFor(evidence: AzSnpVtpmEvidence): readonly EndorsementRequest[] {
    const hcl = readHclReport(evidence);
    this.#quotes.requireFormat(evidence.tpmQuote, TPM_QUOTE);
    return this.#reports.reportEndorsements(hcl.hardwareReport, evidence.endorsements, ABOUT);
  }

  async verify(evidence: AzSnpVtpmEvidence, context: VerificationContext): Promise<Verification> {
    const hcl = readHclReport(evidence);
    this.#quotes.requireFormat(evidence.tpmQuote, TPM_QUOTE);
    const report = await this.#reports.verifyReport(hcl.hardwareReport, evidence.endorsements, {
      at: context.at,
      endorsements: context.endorsements,
      about: ABOUT,
    });
    const checks = new CheckList();
    checks.addAll(report.checks);
    const { claims, bound } = this.#verifyGuest(checks, evidence, hcl, report, context);
    return {
      checks: checks.all,
      required: [...report.required, ...PARAVISOR_REQUIRED, ...this.#quotes.required, ...nonceCheck(context)],
      claims: markVerified({ ...(report.claims === null ? {} : { snp: report.claims }), ...claims }),
      endorsements: report.endorsements,
      bound,
      validUntil: report.validUntil,
      submission: submissionOf(hcl.hardwareReport, hcl.runtimeClaims, report),
    };
  }

  /** What the hardware report vouches for: the claims by their hash, the attestation key by the claims. */
  #verifyGuest(
    checks: CheckList,
    evidence: AzSnpVtpmEvidence,
    hcl: HclReport,
    report: SnpReportVerification,
    context: VerificationContext,
  ): { readonly claims: Omit<Claims, 'snp'>; readonly bound: readonly FreshnessPlace[] } {
    const paravisor = verifyParavisor(checks, hcl, report);
    if (paravisor === null || report.claims === null) {
      const notReached = [...PARAVISOR_REQUIRED, ...this.#quotes.required, ...nonceCheck(context)];
      checks.skip(
        notReached.filter((id) => !checks.ran(id)),
        HCL_REPORT,
        'nothing vouches for the attestation key',
      );
      return { claims: {}, bound: [] };
    }
    const inReport = verifyUserData(checks, paravisor, context.binding, HCL_REPORT);
    const quote = this.#quotes.verifyQuote(evidence.tpmQuote, paravisor.ak, context.binding, TPM_QUOTE);
    checks.addAll(quote.checks);
    const known = paravisorByIdKey(report.claims, this.#idKeyDigests);
    return {
      claims: { hcl: hclClaims(paravisor, 'snp', known), ...(quote.claims === null ? {} : { tpm: quote.claims }) },
      bound: [...(quote.bound ? (['tpm.extraData'] as const) : []), ...(inReport ? (['hcl.userData'] as const) : [])],
    };
  }
}

/** @throws {FormatError} `hcl_format` also for a report of another TEE: the type is never guessed */
const readHclReport: (evidence: AzSnpVtpmEvidence) => HclReport = readOnce(({ hclReport }) =>
  within(HCL_REPORT, () => {
    const hcl = parseHclReport(hclReport);
    if (hcl.reportType !== 'snp')
      throw new FormatError('hcl_format', `the report type is ${hcl.reportType}, expected snp`);
    return hcl;
  }),
);

function verifyParavisor(checks: CheckList, hcl: HclReport, report: SnpReportVerification): ParavisorClaims | null {
  if (report.claims === null || report.reportData === null) return null;
  // The claims are not parsed before their hash is known to be the one in the report.
  if (!verifyRuntimeDataHash(checks, hcl.runtimeClaims, report.reportData, HCL_REPORT)) return null;
  if (!verifyParavisorVmpl(checks, report.claims, HCL_REPORT)) return null;
  return verifyParavisorClaims(checks, hcl.runtimeClaims, HCL_REPORT);
}

function nonceCheck({ binding }: VerificationContext): readonly CheckId[] {
  return binding === null ? [] : ['nonce_mismatch'];
}

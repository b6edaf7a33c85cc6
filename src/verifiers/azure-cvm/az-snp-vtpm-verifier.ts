import { inject, injectable } from 'tsyringe';
import { type HclReport, parseHclReportOf } from '../../formats/hcl-report.js';
import { CheckList } from '../../model/check.js';
import { earliest } from '../../model/earliest.js';
import type { EndorsementRequest } from '../../model/endorsement.js';
import { within } from '../../model/errors.js';
import type { AzSnpVtpmEvidence } from '../../model/evidence.js';
import { TOKENS } from '../../model/injection-tokens.js';
import type {
  EvidenceVerifier,
  SnpReportVerification,
  SnpReportVerifier,
  TpmQuoteVerifier,
  Verification,
  VerificationContext,
} from '../../model/verification.js';
import { markVerified } from '../evidence/mark-verified.js';
import { readOnce } from '../evidence/read-once.js';
import { submissionOf } from '../evidence/submission.js';
import {
  floorMember,
  type ParavisorClaims,
  type ParavisorFloors,
  paravisorByIdKey,
  verifyParavisorClaims,
  verifyParavisorVmpl,
  verifyRuntimeDataHash,
} from '../paravisor/paravisor-claims.js';
import type { AkRoots } from './ak-roots.js';
import { type Guest, GuestVerifier, guestMembers, HCL_REPORT } from './guest.js';

const ABOUT = { report: HCL_REPORT, endorsements: '/evidence/endorsements' };

/**
 * Verifies evidence of an Azure confidential VM on SEV-SNP: hardware report, runtime claims by their hash in
 * REPORT_DATA, attestation key of the vTPM by the claims, quote by that key. The steps, and the checks that are
 * deliberately not made, are in README.md beside this file.
 */
@injectable()
export class AzSnpVtpmVerifier implements EvidenceVerifier<'az-snp-vtpm'> {
  readonly evidenceType = 'az-snp-vtpm';
  readonly #reports: SnpReportVerifier;
  readonly #guests: GuestVerifier;
  readonly #floors: ParavisorFloors;

  /** @param floors ID_KEY_DIGESTs of paravisors that count as known */
  constructor(
    @inject(TOKENS.snpReportVerifier) reports: SnpReportVerifier,
    @inject(TOKENS.tpmQuoteVerifier) quotes: TpmQuoteVerifier,
    @inject(TOKENS.paravisorFloors) floors: ParavisorFloors,
    @inject(TOKENS.akRoots) akRoots: AkRoots,
  ) {
    this.#reports = reports;
    this.#guests = new GuestVerifier(quotes, akRoots);
    this.#floors = floors;
  }

  endorsementsFor(evidence: AzSnpVtpmEvidence): readonly EndorsementRequest[] {
    const hcl = readHclReport(evidence);
    this.#guests.requireFormat(evidence);
    return this.#reports.reportEndorsements(hcl.hardwareReport, evidence.endorsements, ABOUT);
  }

  async verify(evidence: AzSnpVtpmEvidence, context: VerificationContext): Promise<Verification> {
    const hcl = readHclReport(evidence);
    this.#guests.requireFormat(evidence);
    const report = await this.#reports.verifyReport(hcl.hardwareReport, evidence.endorsements, {
      at: context.at,
      endorsements: context.endorsements,
      about: ABOUT,
    });
    const checks = new CheckList();
    checks.addAll(report.checks);
    const guest = this.#verifyGuest(checks, evidence, hcl, report, context);
    return {
      checks: checks.all,
      required: [...report.required, 'snp_vmpl', ...this.#guests.required(evidence, context)],
      claims: markVerified({ ...(report.claims === null ? {} : { snp: report.claims }), ...guest.claims }),
      endorsements: [...report.endorsements, ...guest.endorsements],
      bound: guest.bound,
      validUntil: earliest(report.validUntil, guest.validUntil),
      submission: submissionOf(hcl.hardwareReport, hcl.runtimeClaims, report),
      ...floorMember(report.claims, this.#floors),
      ...guestMembers(guest),
    };
  }

  /** What the hardware report vouches for: the claims by their hash, the attestation key by the claims. */
  #verifyGuest(
    checks: CheckList,
    evidence: AzSnpVtpmEvidence,
    hcl: HclReport,
    report: SnpReportVerification,
    context: VerificationContext,
  ): Guest {
    const claims = verifyParavisor(checks, hcl, report);
    if (claims === null || report.claims === null) {
      checks.skipRest(['snp_vmpl'], HCL_REPORT, 'nothing vouches for the attestation key');
      return this.#guests.notReached(checks, evidence, context);
    }
    const known = paravisorByIdKey(report.claims, this.#floors);
    return this.#guests.verify(checks, evidence, { claims, reportType: 'snp', known }, context);
  }
}

/** @throws {FormatError} `hcl_format` also for a report of another TEE: the type is never guessed */
const readHclReport: (evidence: AzSnpVtpmEvidence) => HclReport = readOnce(({ hclReport }) =>
  within(HCL_REPORT, () => parseHclReportOf('snp', hclReport)),
);

function verifyParavisor(checks: CheckList, hcl: HclReport, report: SnpReportVerification): ParavisorClaims | null {
  if (report.claims === null || report.reportData === null) return null;
  // The claims are not parsed before their hash is known to be the one in the report.
  if (!verifyRuntimeDataHash(checks, hcl.runtimeClaims, report.reportData, HCL_REPORT)) return null;
  if (!verifyParavisorVmpl(checks, report.claims, HCL_REPORT)) return null;
  return verifyParavisorClaims(checks, hcl.runtimeClaims, HCL_REPORT);
}

import { hex } from '../../core/bytes.js';
import type { Checks } from '../../core/check.js';
import type { HclClaims, SnpClaims } from '../../core/claims.js';
import type { SnpEvidence } from '../../core/evidence.js';
import type { EvidenceVerifier, OpenedEvidence, Verification, VerificationContext } from '../../core/verification.js';
import type { Verified } from '../../core/verified.js';
import { sha256 } from '../../crypto/digest.js';
import { checksAt } from '../catalogue.js';
import { withNonce } from '../shared/binding/report-data-binding.js';
import { markVerified, present } from '../shared/evidence/mark-verified.js';
import { type OpenedSnpReport, type SnpReportVerifier, submissionOf } from '../shared/evidence/parts.js';
import {
  floorMember,
  type ParavisorFloors,
  paravisorByIdKey,
  verifyParavisorVmpl,
} from '../shared/paravisor/paravisor-claims.js';
import { verifyReportData } from '../shared/paravisor/runtime-data.js';

const REPORT = '/evidence/report';
const ENDORSEMENTS = '/evidence/endorsements';
const LEAST_PRIVILEGED = 3;

/** Verifies a bare SEV-SNP report, with or without the runtime data that its REPORT_DATA is the hash of. */
export class SnpVerifier implements EvidenceVerifier<'snp'> {
  readonly evidenceType = 'snp';
  readonly #reports: SnpReportVerifier;
  readonly #floors: ParavisorFloors;

  /** @param floors ID_KEY_DIGESTs of paravisors that count as known */
  constructor(reports: SnpReportVerifier, floors: ParavisorFloors) {
    this.#reports = reports;
    this.#floors = floors;
  }

  open(evidence: SnpEvidence): OpenedEvidence {
    const report = this.#reports.open(evidence.report, evidence.endorsements, {
      report: REPORT,
      endorsements: ENDORSEMENTS,
    });
    return { needs: report.needs, verify: (context) => this.#verify(evidence, report, context) };
  }

  async #verify(
    { report: bytes, runtimeData, initData, hasLaunchEndorsements = false }: SnpEvidence,
    opened: OpenedSnpReport,
    context: VerificationContext,
  ): Promise<Verification> {
    const { binding } = context;
    const checks = checksAt(REPORT);

    // 1 to 11. The report and its endorsements.
    const report = await opened.verify(context);
    checks.addAll(report.checks);

    // 12. The nonce in REPORT_DATA, or in runtime data whose hash is there.
    const data = verifyReportData(checks, {
      tee: 'snp',
      reportData: report.reportData,
      runtimeData,
      binding,
      paravisor: () => this.#paravisorOf(checks, report.claims),
    });
    if (report.claims !== null && !checks.ran('snp_vmpl')) verifyRequester(checks, report.claims);
    // 13. What the launcher said of the guest.
    if (initData !== undefined) verifyHostData(checks, initData, report.claims);
    if (hasLaunchEndorsements) checks.warn('launch_endorsement_ignored');
    const ofLaunch = initData === undefined ? [] : (['snp_host_data'] as const);
    return {
      checks: checks.all,
      required: [...report.required, ...ofLaunch, ...withNonce(runtimeData === null ? [] : ['hcl_binding'], binding)],
      claims: markVerified(present({ snp: report.claims, hcl: data.hcl })),
      endorsements: report.endorsements,
      bound: data.bound,
      validUntil: report.validUntil,
      submission: submissionOf(bytes, runtimeData, report),
      ...floorMember(report.claims, this.#floors),
    };
  }

  /** Runtime claims are a paravisor's only where it asked for the report, at VMPL 0. */
  #paravisorOf(checks: Checks, claims: Verified<SnpClaims> | null): HclClaims['paravisor'] | null {
    if (claims === null || !verifyParavisorVmpl(checks, claims)) return null;
    return paravisorByIdKey(claims, this.#floors);
  }
}

/**
 * A guest requests a report for VMPL 0 to 3. In a report that the host requested VMPL is 0xFFFFFFFF (AMD 56860,
 * ATTESTATION_REPORT): the guest chose no REPORT_DATA, so a nonce there shows nothing.
 */
function verifyRequester(checks: Checks, { vmpl }: Verified<SnpClaims>): void {
  if (vmpl <= LEAST_PRIVILEGED) return;
  checks.fail('snp_vmpl', {
    expected: [0, 1, 2, 3],
    actual: vmpl,
    detail: 'the host requested the report, so the guest did not choose its report data',
  });
}

const OTHER_INIT_DATA =
  'The caller should send the initTimeData with which the guest was launched, byte for byte, or none.';

/** SHA-256 of the data stands in HOST_DATA, as Azure Attestation compares it. */
function verifyHostData(checks: Checks, initData: Uint8Array, claims: SnpClaims | null): void {
  if (claims === null) {
    checks.skip(['snp_host_data'], 'nothing of the report is verified');
    return;
  }
  checks.require(hex(sha256(initData)) === claims.hostData, 'snp_host_data', {
    expected: claims.hostData,
    detail: 'the host data is the SHA-256 of initTimeData',
    otherwise: 'the host data is not the SHA-256 of initTimeData',
    remedy: OTHER_INIT_DATA,
  });
}

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

/** Verifies a bare SEV-SNP report. Runtime data, if present, must hash to its REPORT_DATA. */
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

    // 12. The nonce in REPORT_DATA, or in runtime data that hashes to REPORT_DATA.
    const data = verifyReportData(checks, {
      tee: 'snp',
      reportData: report.reportData,
      runtimeData,
      binding,
      paravisor: () => this.#paravisorOf(checks, report.claims),
    });
    if (report.claims !== null && !checks.ran('snp_vmpl')) verifyRequester(checks, report.claims);
    // 13. The init data that the launcher bound to the guest in HOST_DATA.
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

  /** Runtime claims count as a paravisor's only if the report was requested at VMPL 0. */
  #paravisorOf(checks: Checks, claims: Verified<SnpClaims> | null): HclClaims['paravisor'] | null {
    if (claims === null || !verifyParavisorVmpl(checks, claims)) return null;
    return paravisorByIdKey(claims, this.#floors);
  }
}

/**
 * Requires that a guest requested the report. A guest requests reports at VMPL 0 to 3. If the host requested the
 * report, VMPL is 0xFFFFFFFF (AMD 56860, ATTESTATION_REPORT). The guest did not choose that REPORT_DATA, so a nonce in
 * it proves nothing.
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

/** Requires that HOST_DATA is the SHA-256 of the data, as Azure Attestation does. */
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

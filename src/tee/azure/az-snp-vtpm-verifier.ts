import type { Checks } from '../../core/check.js';
import { earliest } from '../../core/earliest.js';
import { within } from '../../core/errors.js';
import type { AzSnpVtpmEvidence, RestatedParts } from '../../core/evidence.js';
import type { EvidenceVerifier, OpenedEvidence, Verification, VerificationContext } from '../../core/verification.js';
import { checksAt } from '../catalogue.js';
import type { AkRoots } from '../shared/attestation-key/ak-roots.js';
import { markVerified, present } from '../shared/evidence/mark-verified.js';
import {
  type OpenedSnpReport,
  type SnpReportVerification,
  type SnpReportVerifier,
  submissionOf,
  type TpmQuoteVerifier,
} from '../shared/evidence/parts.js';
import { readRuntimeObject } from '../shared/format/runtime-claims.js';
import {
  floorMember,
  type ParavisorClaims,
  type ParavisorFloors,
  paravisorByIdKey,
  verifyParavisorClaims,
  verifyParavisorVmpl,
  verifyRuntimeDataHash,
} from '../shared/paravisor/paravisor-claims.js';
import { readHclParts } from './format/hcl-report.js';
import { type Guest, GuestVerifier, guestMembers, HCL_REPORT, type OpenedGuest } from './guest.js';
import { verifyRestatedNonce, verifyRestatedParts } from './restated-parts.js';

const ENDORSEMENTS = '/evidence/endorsements';

/** The parts of the paravisor's report that are covered by the signature of the hardware report and its hash. */
interface CoveredParts {
  readonly hardwareReport: Uint8Array;
  readonly runtimeClaims: Uint8Array;
}

interface Opened {
  readonly hcl: CoveredParts;
  readonly guest: OpenedGuest;
  readonly report: OpenedSnpReport;
  /** Null if the guest sends no copies of parts of its report. */
  readonly restated: RestatedParts | null;
}

/**
 * Verifies evidence of an Azure confidential VM on SEV-SNP. The hardware report vouches for the runtime claims by their
 * hash in REPORT_DATA, the claims for the attestation key of the vTPM, and that key for the quote. README.md in this
 * folder lists the checks that are deliberately not made.
 */
export class AzSnpVtpmVerifier implements EvidenceVerifier<'az-snp-vtpm'> {
  readonly evidenceType = 'az-snp-vtpm';
  readonly #reports: SnpReportVerifier;
  readonly #guests: GuestVerifier;
  readonly #floors: ParavisorFloors;

  /**
   * @param floors ID_KEY_DIGESTs of known paravisors, with their minimum security versions
   * @param eventLogBytes maximum length of an event log
   */
  constructor(
    reports: SnpReportVerifier,
    quotes: TpmQuoteVerifier,
    floors: ParavisorFloors,
    akRoots: AkRoots,
    eventLogBytes: number,
  ) {
    this.#reports = reports;
    this.#guests = new GuestVerifier(quotes, akRoots, eventLogBytes);
    this.#floors = floors;
  }

  /** @throws {FormatError} `hcl_format` also for a report of another TEE, because the type is never guessed */
  open(evidence: AzSnpVtpmEvidence): OpenedEvidence {
    const { hardwareReport, runtimeClaims } = within(HCL_REPORT, () => readHclParts('snp', evidence.hclReport));
    // An absent hardware report becomes zero bytes, which the report parser rejects by length.
    const hcl = { hardwareReport: hardwareReport ?? new Uint8Array(), runtimeClaims };
    const guest = this.#guests.open(evidence);
    const about = { report: HCL_REPORT, endorsements: ENDORSEMENTS };
    const report = this.#reports.open(hcl.hardwareReport, evidence.endorsements, about);
    return {
      needs: [...report.needs, ...guest.needs],
      verify: (context) => this.#verify({ hcl, guest, report, restated: evidence.restated ?? null }, context),
    };
  }

  /** Runs steps 3 to 12 of README.md in this folder. `open` runs step 1; step 2 applies to TDX only. */
  async #verify(opened: Opened, context: VerificationContext): Promise<Verification> {
    const { hcl, guest: openedGuest, restated } = opened;
    const checks = checksAt(HCL_REPORT);

    // 3. The hardware report.
    const report = await opened.report.verify(context);
    checks.addAll(report.checks);

    // 4 to 6. The runtime claims by their hash, and the attestation key in the claims.
    const claims = verifyParavisor(checks, opened, report);

    // 7 to 12. The parts that the attestation key vouches for.
    const guest = this.#verifyGuest(checks, openedGuest, { claims, report }, context);
    if (restated !== null) verifyRestatedNonce(checks, restated, openedGuest.quote.said?.extraData ?? null);
    return {
      checks: checks.all,
      required: [...report.required, 'snp_vmpl', ...this.#guests.required(openedGuest, context)],
      claims: markVerified({ ...present({ snp: report.claims }), ...guest.claims }),
      endorsements: [...report.endorsements, ...guest.endorsements],
      bound: guest.bound,
      validUntil: earliest(report.validUntil, guest.validUntil),
      submission: submissionOf(hcl.hardwareReport, hcl.runtimeClaims, report),
      ...floorMember(report.claims, this.#floors),
      ...guestMembers(guest),
    };
  }

  #verifyGuest(
    checks: Checks,
    guest: OpenedGuest,
    { claims, report }: { readonly claims: ParavisorClaims | null; readonly report: SnpReportVerification },
    context: VerificationContext,
  ): Guest {
    if (claims === null || report.claims === null) {
      checks.skipRest(['snp_vmpl'], 'no verified report certifies the attestation key');
      return this.#guests.notReached(checks, guest, context);
    }
    const known = paravisorByIdKey(report.claims, this.#floors);
    return this.#guests.verify(checks, guest, { claims, reportType: 'snp', known }, context);
  }
}

function verifyParavisor(
  checks: Checks,
  { hcl, restated }: Opened,
  report: SnpReportVerification,
): ParavisorClaims | null {
  if (report.claims === null || report.reportData === null) return null;
  // Parses the claims only after their hash matches the one in the report.
  if (!verifyRuntimeDataHash(checks, hcl.runtimeClaims, report.reportData)) return null;
  if (!verifyParavisorVmpl(checks, report.claims)) return null;
  const object = readRuntimeObject(hcl.runtimeClaims);
  if (restated !== null && !verifyRestatedParts(checks, restated, hcl, object)) return null;
  return verifyParavisorClaims(checks, object);
}

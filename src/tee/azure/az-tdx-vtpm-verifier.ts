import type { CheckId } from '../../core/codes.js';
import { earliest } from '../../core/earliest.js';
import { within } from '../../core/errors.js';
import type { AzTdxVtpmEvidence } from '../../core/evidence.js';
import type { EvidenceVerifier, OpenedEvidence, Verification, VerificationContext } from '../../core/verification.js';
import { checksAt } from '../catalogue.js';
import type { AkRoots } from '../shared/attestation-key/ak-roots.js';
import { markVerified, present } from '../shared/evidence/mark-verified.js';
import type { OpenedTdQuote, TdQuoteVerifier, TpmQuoteVerifier } from '../shared/evidence/parts.js';
import { readRuntimeObject } from '../shared/format/runtime-claims.js';
import { paravisorByMrtd, verifyParavisorClaims, verifyRuntimeDataHash } from '../shared/paravisor/paravisor-claims.js';
import { readHclParts } from './format/hcl-report.js';
import { GuestVerifier, guestMembers, HCL_REPORT, type OpenedGuest } from './guest.js';

const TD_QUOTE = '/evidence/tdQuote';
const COLLATERAL = '/evidence/collateral';

interface Opened {
  readonly evidence: AzTdxVtpmEvidence;
  readonly runtimeClaims: Uint8Array;
  /** False if the guest sent only parts of the paravisor's report. The quote has all fields that count. */
  readonly hasTdReport: boolean;
  readonly quote: OpenedTdQuote;
  readonly guest: OpenedGuest;
}

/**
 * Verifies evidence of an Azure confidential VM on TDX. The TD quote must match the TDREPORT. It vouches for the
 * runtime claims by their hash in REPORTDATA, the claims for the attestation key of the vTPM, and that key for the TPM
 * quote. README.md in this folder lists the checks that are deliberately not made.
 */
export class AzTdxVtpmVerifier implements EvidenceVerifier<'az-tdx-vtpm'> {
  readonly evidenceType = 'az-tdx-vtpm';
  readonly #quotes: TdQuoteVerifier;
  readonly #guests: GuestVerifier;
  readonly #mrtds: ReadonlySet<string>;

  /**
   * @param mrtds MRTDs of known paravisors, lower-case hex
   * @param eventLogBytes maximum length of an event log
   */
  constructor(
    quotes: TdQuoteVerifier,
    tpmQuotes: TpmQuoteVerifier,
    mrtds: ReadonlySet<string>,
    akRoots: AkRoots,
    eventLogBytes: number,
  ) {
    this.#quotes = quotes;
    this.#guests = new GuestVerifier(tpmQuotes, akRoots, eventLogBytes);
    this.#mrtds = mrtds;
  }

  /**
   * @throws {FormatError} `hcl_format` also for a report of another TEE, because the type is never guessed
   * @throws {FormatError} `tdx_not_a_quote` for a TDREPORT in the place of the quote
   */
  open(evidence: AzTdxVtpmEvidence): OpenedEvidence {
    const { hardwareReport, runtimeClaims } = within(HCL_REPORT, () => readHclParts('tdx', evidence.hclReport));
    const tdReport = hardwareReport === null ? null : { bytes: hardwareReport, about: HCL_REPORT };
    const about = { quote: TD_QUOTE, collateral: COLLATERAL };
    const quote = this.#quotes.open(evidence.tdQuote, evidence.collateral, about, tdReport);
    const guest = this.#guests.open(evidence);
    const opened = { evidence, runtimeClaims, hasTdReport: tdReport !== null, quote, guest };
    return { needs: [...quote.needs, ...guest.needs], verify: async (context) => this.#verify(opened, context) };
  }

  /**
   * Runs steps 2 to 12 of README.md in this folder. `open` runs step 1; step 5 applies to SNP only: a TD has no VMPL.
   */
  #verify(opened: Opened, context: VerificationContext): Verification {
    const { evidence, runtimeClaims, guest: openedGuest } = opened;
    const checks = checksAt(HCL_REPORT);

    // 2. The quote was made from the TDREPORT, if one was sent.
    const matches = opened.quote.verifyTdReport(checks);

    // 3. The quote.
    const { said } = opened.quote;
    const quote = opened.quote.verify(context);
    checks.addAll(quote.checks);

    // 4 and 6. The runtime claims by their hash, and the attestation key in the claims. The hash is compared with
    // REPORTDATA even if the quote failed. The claims are parsed only if the quote holds and vouches for them.
    const hashed = verifyRuntimeDataHash(checks, runtimeClaims, said.reportData);
    const isVouchedFor = hashed && matches && quote.reportData !== null;
    const claims = isVouchedFor ? verifyParavisorClaims(checks, readRuntimeObject(runtimeClaims)) : null;

    // 7 to 12. The parts that the attestation key vouches for.
    const known = quote.claims === null ? null : paravisorByMrtd(quote.claims, said.vmId, this.#mrtds);
    const guest =
      claims === null
        ? this.#guests.notReached(checks, openedGuest, context)
        : this.#guests.verify(checks, openedGuest, { claims, reportType: 'tdx', known }, context);

    if (quote.reportData === null) checks.withhold(['tdx_report_mismatch', 'hcl_binding']);
    return {
      checks: checks.all,
      required: [...ofTdReport(opened), ...quote.required, ...this.#guests.required(openedGuest, context)],
      claims: markVerified({ ...present({ tdx: quote.claims }), ...guest.claims }),
      endorsements: [...quote.endorsements, ...guest.endorsements],
      bound: guest.bound,
      validUntil: earliest(quote.validUntil, guest.validUntil),
      tcbShortfalls: quote.shortfalls,
      ...present({ collateralIssued: quote.collateralIssued }),
      submission: quote.claims === null ? null : { tee: 'tdx', quote: evidence.tdQuote, runtimeData: runtimeClaims },
      ...guestMembers(guest),
    };
  }
}

function ofTdReport({ hasTdReport }: Opened): readonly CheckId[] {
  return hasTdReport ? ['tdx_report_mismatch'] : [];
}

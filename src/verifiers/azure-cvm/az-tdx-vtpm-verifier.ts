import { inject, injectable } from 'tsyringe';
import { type HclReport, parseHclReportOf } from '../../formats/hcl-report.js';
import type { TdQuote } from '../../formats/td-quote.js';
import { parseTdReport, TD_REPORT_LENGTH, type TdReport } from '../../formats/td-report.js';
import { CheckList } from '../../model/check.js';
import { earliest } from '../../model/earliest.js';
import type { EndorsementRequest } from '../../model/endorsement.js';
import { within } from '../../model/errors.js';
import type { AzTdxVtpmEvidence } from '../../model/evidence.js';
import { TOKENS } from '../../model/injection-tokens.js';
import type {
  EvidenceVerifier,
  Submission,
  TdQuoteVerification,
  TdQuoteVerifier,
  TpmQuoteVerifier,
  Verification,
  VerificationContext,
} from '../../model/verification.js';
import { markVerified } from '../evidence/mark-verified.js';
import { readOnce } from '../evidence/read-once.js';
import { readTdQuote } from '../evidence/read-td-quote.js';
import {
  type ParavisorClaims,
  paravisorByMrtd,
  verifyParavisorClaims,
  verifyRuntimeDataHash,
} from '../paravisor/paravisor-claims.js';
import type { AkRoots } from './ak-roots.js';
import { type Guest, GuestVerifier, guestMembers, HCL_REPORT } from './guest.js';
import { refuseUnquotedServiceTd, verifyTdReportMatch } from './td-report-match.js';

const TD_QUOTE = '/evidence/tdQuote';
const ABOUT = { quote: TD_QUOTE, collateral: '/evidence/collateral' };

/** Evidence, read. */
interface Parts {
  readonly hcl: HclReport;
  readonly tdReport: TdReport;
  readonly quote: TdQuote;
}

/**
 * Verifies evidence of an Azure confidential VM on TDX: TDREPORT against quote, quote, runtime claims by their hash in
 * REPORTDATA, attestation key of the vTPM by the claims, quote of the vTPM by that key. The steps, and the checks that
 * are deliberately not made, are in README.md beside this file.
 */
@injectable()
export class AzTdxVtpmVerifier implements EvidenceVerifier<'az-tdx-vtpm'> {
  readonly evidenceType = 'az-tdx-vtpm';
  readonly #quotes: TdQuoteVerifier;
  readonly #guests: GuestVerifier;
  readonly #mrtds: ReadonlySet<string>;

  /** @param mrtds MRTDs of paravisors that count as known, lower-case hex */
  constructor(
    @inject(TOKENS.tdQuoteVerifier) quotes: TdQuoteVerifier,
    @inject(TOKENS.tpmQuoteVerifier) tpmQuotes: TpmQuoteVerifier,
    @inject(TOKENS.paravisorMrtds) mrtds: ReadonlySet<string>,
    @inject(TOKENS.akRoots) akRoots: AkRoots,
  ) {
    this.#quotes = quotes;
    this.#guests = new GuestVerifier(tpmQuotes, akRoots);
    this.#mrtds = mrtds;
  }

  endorsementsFor(evidence: AzTdxVtpmEvidence): readonly EndorsementRequest[] {
    readParts(evidence);
    this.#guests.requireFormat(evidence);
    return this.#quotes.quoteEndorsements(evidence.tdQuote, evidence.collateral, ABOUT);
  }

  async verify(evidence: AzTdxVtpmEvidence, context: VerificationContext): Promise<Verification> {
    const parts = readParts(evidence);
    this.#guests.requireFormat(evidence);
    const checks = new CheckList();
    const matches = verifyTdReportMatch(checks, parts.tdReport, parts.quote, HCL_REPORT);
    refuseUnquotedServiceTd(checks, parts.tdReport, parts.quote, HCL_REPORT);
    const { at, endorsements } = context;
    const quote = await this.#quotes.verifyQuote(evidence.tdQuote, { at, endorsements, about: ABOUT });
    checks.addAll(quote.checks);
    const guest = this.#verifyGuest(checks, evidence, { parts, quote, matches }, context);
    if (quote.reportData === null) checks.withhold(['tdx_report_mismatch', 'hcl_binding']);
    return {
      checks: checks.all,
      required: ['tdx_report_mismatch', ...quote.required, ...this.#guests.required(evidence, context)],
      claims: markVerified({ ...(quote.claims === null ? {} : { tdx: quote.claims }), ...guest.claims }),
      endorsements: [...quote.endorsements, ...guest.endorsements],
      bound: guest.bound,
      validUntil: earliest(quote.validUntil, guest.validUntil),
      tcbShortfalls: quote.shortfalls,
      ...(quote.collateralIssued === null ? {} : { collateralIssued: quote.collateralIssued }),
      submission: submissionOf(evidence, parts, quote),
      ...guestMembers(guest),
    };
  }

  /** What the quote vouches for: the claims by their hash, the attestation key by the claims. A TD has no VMPL. */
  #verifyGuest(
    checks: CheckList,
    evidence: AzTdxVtpmEvidence,
    found: { readonly parts: Parts; readonly quote: TdQuoteVerification; readonly matches: boolean },
    context: VerificationContext,
  ): Guest {
    const claims = verifyParavisor(checks, found);
    if (claims === null) return this.#guests.notReached(checks, evidence, context);
    const { quote } = found;
    const known = quote.claims === null ? null : paravisorByMrtd(quote.claims, this.#mrtds);
    return this.#guests.verify(checks, evidence, { claims, reportType: 'tdx', known }, context);
  }
}

/**
 * @throws {FormatError} `hcl_format` also for a report of another TEE: the type is never guessed
 * @throws {FormatError} `tdx_not_a_quote` where a TDREPORT stands in the place of the quote
 */
const readParts: (evidence: AzTdxVtpmEvidence) => Parts = readOnce(({ hclReport, tdQuote }) => {
  const hcl = within(HCL_REPORT, () => parseHclReportOf('tdx', hclReport));
  return {
    hcl,
    tdReport: within(HCL_REPORT, () => parseTdReport(hcl.hardwareReport.subarray(0, TD_REPORT_LENGTH))),
    quote: within(TD_QUOTE, () => readTdQuote(tdQuote)),
  };
});

/**
 * The hash is compared with the quote's REPORTDATA as it stands, whatever else came out about the quote. The claims
 * are parsed only where the quote holds, and they are what it vouches for.
 */
function verifyParavisor(
  checks: CheckList,
  { parts, quote, matches }: { readonly parts: Parts; readonly quote: TdQuoteVerification; readonly matches: boolean },
): ParavisorClaims | null {
  const hashed = verifyRuntimeDataHash(checks, parts.hcl.runtimeClaims, parts.quote.body.reportData, HCL_REPORT);
  if (!hashed || !matches || quote.reportData === null) return null;
  return verifyParavisorClaims(checks, parts.hcl.runtimeClaims, HCL_REPORT);
}

/** The quote as another verifier takes it; null where it did not hold. */
function submissionOf(
  { tdQuote }: AzTdxVtpmEvidence,
  { hcl }: Parts,
  { claims }: TdQuoteVerification,
): Submission | null {
  return claims === null ? null : { tee: 'tdx', quote: tdQuote, runtimeData: hcl.runtimeClaims };
}

import { hex } from '../../core/bytes.js';
import type { Checks } from '../../core/check.js';
import type { CheckId } from '../../core/codes.js';
import { earliest } from '../../core/earliest.js';
import type { TdxCollateralRequest, UsedEndorsement } from '../../core/endorsement.js';
import { within } from '../../core/errors.js';
import type { TdxCollateral } from '../../core/evidence.js';
import { memoized } from '../../core/memoized.js';
import { earliestEnd } from '../../crypto/certificate-path.js';
import { checksAt } from '../catalogue.js';
import { markVerified } from '../shared/evidence/mark-verified.js';
import type {
  GivenTdReport,
  OpenedTdQuote,
  PartContext,
  QuotedTd,
  TdQuotePlaces,
  TdQuoteVerification,
  TdQuoteVerifier,
} from '../shared/evidence/parts.js';
import { verifyPath } from '../shared/evidence/path-checks.js';
import {
  type CollateralAtHand,
  checkConfirmation,
  checkWindows,
  collateralEnd,
  collateralIssued,
  takeCollateral,
} from './collateral-checks.js';
import { parseTdQuote, type TdQuote } from './format/td-quote.js';
import { parseTdReport, TD_REPORT_LENGTH, type TdReport } from './format/td-report.js';
import { CollateralReader, type CollateralReading } from './intel/collateral.js';
import type { SvnLevel } from './intel/collateral-json.js';
import type { PckExtension } from './intel/pck-extension.js';
import { type PckPath, PckPaths, requireSameCertificates } from './intel/pck-path.js';
import type { QeIdentity } from './intel/qe-identity.js';
import { INTEL_SGX_ROOT_PINS } from './intel/roots.js';
import { type PlatformTcb, verifyPlatform, verifyPlatformTcb } from './platform-tcb.js';
import {
  QeReports,
  verifyQeBinding,
  verifyQeDebug,
  verifyQeIdentity,
  verifyQuoteSignature,
  verifyVendor,
} from './quoting-enclave.js';
import { type QuoteChecks, verifyRevocation } from './revocation.js';
import { verifyTd } from './td-attributes.js';
import { verifyTdReport } from './td-report-match.js';
import { tdxClaims } from './tdx-claims.js';
import { usedEndorsements } from './used-endorsements.js';

/** Checks that must have an outcome for every quote. Checks that are recorded only on failure are not in this list. */
const REQUIRED = [
  'tdx_qe_vendor',
  'cert_untrusted',
  'cert_validity',
  'collateral_unavailable',
  'crl_issuer',
  'cert_revoked',
  'collateral_not_yet',
  'collateral_stale',
  'tdx_qe_report_signature',
  'tdx_qe_binding',
  'tdx_qe_debug',
  'tdx_qe_identity',
  'tdx_qe_attributes',
  'tdx_qe_svn',
  'tdx_signature',
  'tdx_tcb_info',
  'tdx_module',
  'tdx_tcb_level_unsupported',
  'tdx_debug',
  'tdx_attributes',
  'tdx_xfam',
  'tdx_seam_attributes',
] as const satisfies readonly CheckId[];

const NOT_CLEARED = 'the certificates are revoked, or their revocation status is not known';

export interface TdQuoteVerifierOptions {
  /** SHA-256 of the SubjectPublicKeyInfo of each trusted root, lower-case hex. Defaults to Intel's root. */
  readonly pins?: ReadonlySet<string>;
}

/** A parsed quote with its certificate chain. */
interface ReadQuote {
  readonly quote: TdQuote;
  readonly path: PckPath;
}

/** Verifies a TD quote and its collateral (Intel DCAP). */
export class DcapTdQuoteVerifier implements TdQuoteVerifier {
  readonly #paths: PckPaths;
  readonly #readCollateral: (collateral: TdxCollateral) => CollateralReading;
  readonly #qeReports = new QeReports();

  constructor(options: TdQuoteVerifierOptions) {
    const pins = options.pins ?? INTEL_SGX_ROOT_PINS;
    this.#paths = new PckPaths(pins);
    const collateral = new CollateralReader(pins);
    this.#readCollateral = memoized((found) => collateral.read(found));
  }

  open(
    bytes: Uint8Array,
    collateral: TdxCollateral | null,
    about: TdQuotePlaces,
    tdReport: GivenTdReport | null = null,
  ): OpenedTdQuote {
    const report = tdReport === null ? null : readTdReport(tdReport);
    const read = within(about.quote, () => {
      const quote = parseTdQuote(bytes);
      return { quote, path: this.#paths.read(quote.pckChain) };
    });
    requireOwnChain(read, collateral, about);
    return {
      needs: neededBy(read, collateral),
      said: statedBy(read.quote),
      verifyTdReport: (checks) => report === null || verifyTdReport(checks, report, read.quote),
      verify: (context) => this.#verify(checksOf(about), read, context),
    };
  }

  /**
   * Runs steps 2 to 12 of README.md in this folder. `open` runs step 1; the verifier of the evidence runs steps 13 and
   * 14.
   */
  #verify(checks: QuoteChecks, { quote, path }: ReadQuote, { at, endorsements }: PartContext): TdQuoteVerification {
    // 2. The vendor id in the header. The quote states it; steps 7 and 8 verify the enclave.
    if (!verifyVendor(checks.quote, quote)) return stopped(checks.quote, 'the quoting enclave is not of Intel');

    // 3. The chain of the PCK certificate.
    const { pck } = path;
    const isIssued = verifyPath(checks.quote, { ...path, roles: rolesOf(path) }, at);
    if (!isIssued || pck === null) return stopped(checks.quote, 'no PCK certificate could be relied on');

    // 4. The signatures and signers of the collateral.
    const sought = { at, fmspc: pck.fmspc };
    const found = takeCollateral(checks.collateral, this.#readCollateral, endorsements.tdx, sought);

    // 5. Revocation.
    const revocation = found === null ? null : verifyRevocation(checks, path, found.value);
    if (revocation !== null && !revocation.holds) {
      return stopped(checks.quote, NOT_CLEARED, usedEndorsements(path, found, revocation.stateOf));
    }

    // 6. The validity of the collateral. Without valid collateral, the steps that do not need it still run.
    const timely = found !== null && checkTime(checks.collateral, found, at) ? found : null;

    // 7 and 8. The quoting enclave: its report under the PCK key, and Intel's QE identity.
    const enclave = this.#verifyEnclave(checks.quote, { quote, path }, timely?.value.qeIdentity.value ?? null);
    if (!enclave.holds) return stopped(checks.quote, 'the quoting enclave could not be relied on');

    // 9. The signature of the quote.
    const isSigned = verifyQuoteSignature(checks.quote, quote);
    if (!isSigned) return stopped(checks.quote, 'the signature of the quote does not verify');

    // 10. The TD.
    verifyTd(checks.quote, quote.body);

    // 11 and 12. The platform, its module and their TCB.
    const platform = ratePlatform(checks, { quote, pck, level: enclave.level }, timely);

    checks.quote.skipRest(REQUIRED, 'the collateral could not be relied on');
    const claims = platform && markVerified(tdxClaims(quote, pck, platform.tcb));
    return { ...verifiedQuote(checks.quote, { quote, path }, timely), claims, shortfalls: platform?.shortfalls ?? [] };
  }

  /** @returns `level`: the TCB level of its ISVSVN; null if a check fails, or without a QE identity */
  #verifyEnclave(
    checks: Checks,
    { quote, path }: ReadQuote,
    identity: QeIdentity | null,
  ): { readonly holds: boolean; readonly level: SvnLevel | null } {
    const isOfPlatform =
      this.#qeReports.verifySignature(checks, quote, path.leaf) &&
      verifyQeBinding(checks, quote) &&
      verifyQeDebug(checks, quote.qe.report);
    if (!isOfPlatform || identity === null) return { holds: isOfPlatform, level: null };
    const level = verifyQeIdentity(checks, quote.qe.report, identity);
    return { holds: level !== null, level };
  }
}

function readTdReport({ bytes, about }: GivenTdReport): TdReport {
  return within(about, () => parseTdReport(bytes.subarray(0, TD_REPORT_LENGTH)));
}

function statedBy({ body: { reportData, extension } }: TdQuote): QuotedTd {
  return { reportData, vmId: extension?.vmId ?? 0 };
}

function checksOf(about: TdQuotePlaces): QuoteChecks {
  const quote = checksAt(about.quote);
  return { quote, collateral: quote.at(about.collateral) };
}

/** Requires that a PCK certificate chain in the collateral equals the chain in the quote. */
function requireOwnChain({ path }: ReadQuote, collateral: TdxCollateral | null, about: TdQuotePlaces): void {
  const chain = collateral?.pckCertificateChain;
  if (chain === undefined) return;
  requireSameCertificates(chain, path.certificates, `${about.collateral}/pck_certificate_chain`);
}

/**
 * Requests the collateral for the platform. Requests nothing if the certificate chain does not verify or does not
 * identify a platform. Such a quote is rejected with any collateral.
 */
function neededBy({ path }: ReadQuote, collateral: TdxCollateral | null): readonly TdxCollateralRequest[] {
  const { pck, ca, problems } = path;
  if (pck === null || ca === null || problems.length > 0) return [];
  return [{ kind: 'intel-tdx', fmspc: hex(pck.fmspc), ca, supplied: collateral }];
}

/** Intel's names of the certificates of a PCK chain. */
const PCK_ROLES = ['PCK certificate', 'PCK CA', 'Intel SGX root CA'] as const;

/** Returns no roles for a chain of another length, because the positions do not match Intel's. */
function rolesOf({ certificates }: PckPath): readonly string[] {
  return certificates.length === PCK_ROLES.length ? PCK_ROLES : [];
}

/** Runs both checks, because stale collateral can also be unconfirmed. */
function checkTime(checks: Checks, found: CollateralAtHand, at: Date): boolean {
  const isInTime = checkWindows(checks, found.value, at);
  return checkConfirmation(checks, found) && isInTime;
}

interface PlatformOfQuote {
  readonly quote: TdQuote;
  readonly pck: PckExtension;
  /** TCB level of the quoting enclave; null without collateral. */
  readonly level: SvnLevel | null;
}

function ratePlatform(
  checks: QuoteChecks,
  { quote, pck, level }: PlatformOfQuote,
  timely: CollateralAtHand | null,
): PlatformTcb | null {
  if (timely === null || level === null) return null;
  const { value } = timely;
  const info = value.tcbInfo.value;
  if (!verifyPlatform(checks.collateral.inside('/tcb_info'), info, pck)) return null;
  const qe = { identity: value.qeIdentity.value, level, isvSvn: quote.qe.report.isvSvn };
  return verifyPlatformTcb(checks.quote, { pck, body: quote.body, info, qe });
}

/** The result for a quote with a valid signature by an enclave on a genuine platform. */
function verifiedQuote(
  checks: Checks,
  { quote, path }: ReadQuote,
  timely: CollateralAtHand | null,
): Omit<TdQuoteVerification, 'claims' | 'shortfalls'> {
  return {
    checks: checks.all,
    required: REQUIRED,
    collateralIssued: timely && collateralIssued(timely.value),
    reportData: markVerified(quote.body.reportData),
    endorsements: usedEndorsements(path, timely),
    validUntil: earliest(earliestEnd(path.certificates), timely && collateralEnd(timely.value)),
  };
}

/** @param endorsements the endorsements that led to the rejection */
function stopped(checks: Checks, because: string, endorsements: readonly UsedEndorsement[] = []): TdQuoteVerification {
  checks.skipRest(REQUIRED, because);
  return {
    checks: checks.all,
    required: REQUIRED,
    claims: null,
    shortfalls: [],
    collateralIssued: null,
    reportData: null,
    endorsements,
    validUntil: null,
  };
}

import { inject, injectable } from 'tsyringe';
import { describePathProblem, earliestEnd, judgeValidity } from '../../crypto/certificate-path.js';
import { hex } from '../../crypto/digest.js';
import type { TdQuote } from '../../formats/td-quote.js';
import { CheckList } from '../../model/check.js';
import type { CheckId } from '../../model/codes.js';
import { earliest } from '../../model/earliest.js';
import type { TdxCollateralRequest, UsedEndorsement } from '../../model/endorsement.js';
import { within } from '../../model/errors.js';
import type { TdxCollateral } from '../../model/evidence.js';
import { TOKENS } from '../../model/injection-tokens.js';
import type { TdQuoteContext, TdQuoteVerification, TdQuoteVerifier } from '../../model/verification.js';
import { CollateralReader, type CollateralReading } from '../../vendors/intel/collateral.js';
import type { SvnLevel } from '../../vendors/intel/collateral-json.js';
import { type PckPath, PckPaths, requireSameCertificates } from '../../vendors/intel/pck-path.js';
import { INTEL_SGX_ROOT_PINS } from '../../vendors/intel/roots.js';
import { markVerified } from '../evidence/mark-verified.js';
import { readOnce } from '../evidence/read-once.js';
import { readTdQuote } from '../evidence/read-td-quote.js';
import {
  type CollateralAtHand,
  collateralEnd,
  collateralIssued,
  judgeConfirmation,
  judgeWindows,
  takeCollateral,
} from './collateral-checks.js';
import { verifyRevocation } from './intel-revocation.js';
import { type PlatformTcb, verifyPlatform, verifyPlatformTcb } from './platform-tcb.js';
import {
  QeReports,
  verifyQeBinding,
  verifyQeDebug,
  verifyQeIdentity,
  verifyQuoteSignature,
  verifyVendor,
} from './quoting-enclave.js';
import { verifyTd } from './td-checks.js';
import { tdxClaims } from './tdx-claims.js';
import { usedEndorsements } from './used-endorsements.js';

/** Checks that every quote must have an outcome for. What is recorded only when it fails is not among them. */
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

export interface TdQuoteVerifierOptions {
  /** SHA-256 of the SubjectPublicKeyInfo of the roots that count, lower-case hex; Intel's own where absent. */
  readonly pins?: ReadonlySet<string>;
}

/** One verification in progress. */
interface Run {
  readonly checks: CheckList;
  readonly quote: TdQuote;
  readonly path: PckPath;
  readonly pck: NonNullable<PckPath['pck']>;
  readonly context: TdQuoteContext;
}

/** Verifies a TD quote and its collateral (Intel DCAP), in the order that README.md beside this file lists. */
@injectable()
export class DcapTdQuoteVerifier implements TdQuoteVerifier {
  readonly #readPath: (quote: TdQuote) => PckPath;
  readonly #readCollateral: (collateral: TdxCollateral) => CollateralReading;
  readonly #qeReports = new QeReports();

  constructor(@inject(TOKENS.tdQuoteVerifierOptions) options: TdQuoteVerifierOptions) {
    const pins = options.pins ?? INTEL_SGX_ROOT_PINS;
    const paths = new PckPaths(pins);
    this.#readPath = readOnce((quote) => paths.read(quote.pckChain));
    const collateral = new CollateralReader(pins);
    this.#readCollateral = readOnce((brought) => collateral.read(brought));
  }

  /**
   * A chain of the PCK certificate that the collateral brings too must be that of the quote.
   *
   * None where the path of the quote's certificate does not hold, or it says of no platform what it is: then it is refused,
   * whatever the collateral, and nobody is asked about a platform that Intel does not vouch for.
   */
  quoteEndorsements(
    bytes: Uint8Array,
    collateral: TdxCollateral | null,
    about: TdQuoteContext['about'],
  ): readonly TdxCollateralRequest[] {
    const { certificates, pck, ca, problems } = within(about.quote, () => this.#readPath(readTdQuote(bytes)));
    const chain = collateral?.pckCertificateChain;
    if (chain !== undefined) requireSameCertificates(chain, certificates, `${about.collateral}/pck_certificate_chain`);
    if (pck === null || ca === null || problems.length > 0) return [];
    return [{ kind: 'intel-tdx', fmspc: hex(pck.fmspc), ca, brought: collateral }];
  }

  async verifyQuote(bytes: Uint8Array, context: TdQuoteContext): Promise<TdQuoteVerification> {
    const { about, at } = context;
    const quote = within(about.quote, () => readTdQuote(bytes));
    const checks = new CheckList();
    if (!verifyVendor(checks, quote, about.quote))
      return stopped(checks, about.quote, 'the quoting enclave is not of intel');
    const path = within(about.quote, () => this.#readPath(quote));
    const { pck } = path;
    if (!judgePath(checks, path, at, about.quote) || pck === null) {
      return stopped(checks, about.quote, 'no pck certificate could be relied on');
    }
    return this.#judgeQuote({ checks, quote, path, pck, context });
  }

  #judgeQuote(run: Run): TdQuoteVerification {
    const { checks, quote, path, context } = run;
    const { about, at, endorsements } = context;
    const found = takeCollateral(checks, this.#readCollateral, endorsements.tdx, at, about.collateral);
    const revocation = found === null ? null : verifyRevocation(checks, path, found.value, about);
    if (revocation !== null && !revocation.holds) {
      const because = 'the certificates are revoked, or that cannot be told';
      return stopped(checks, about.quote, because, usedEndorsements(path, found, revocation.stateOf));
    }
    const timely = found !== null && judgeTime(checks, found, at, about.collateral) ? found : null;
    if (!this.#verifyEnclave(run)) return stopped(checks, about.quote, 'the quoting enclave could not be relied on');
    const level = timely === null ? null : verifyQeOf(run, timely);
    if (timely !== null && level === null) {
      return stopped(checks, about.quote, 'the quoting enclave could not be relied on');
    }
    if (!verifyQuoteSignature(checks, quote, about.quote)) {
      return stopped(checks, about.quote, 'the signature of the quote does not hold');
    }
    verifyTd(checks, quote.body, about.quote);
    const platform = timely === null || level === null ? null : ratePlatform(run, timely, level);
    return concluded(run, timely, platform);
  }

  /** What the platform's key says of the quoting enclave, and the enclave of the attestation key. */
  #verifyEnclave({ checks, quote, path, context: { about } }: Run): boolean {
    return (
      this.#qeReports.verifySignature(checks, quote, path.leaf, about.quote) &&
      verifyQeBinding(checks, quote, about.quote) &&
      verifyQeDebug(checks, quote.qe.report, about.quote)
    );
  }
}

/** What Intel calls the certificates of a PCK chain. */
const PCK_ROLES = ['PCK certificate', 'PCK CA', 'Intel SGX root CA'] as const;

function judgePath(checks: CheckList, path: PckPath, at: Date, about: string): boolean {
  // a chain of another length is none of Intel's, and its certificates have no such places
  const roles = path.certificates.length === PCK_ROLES.length ? PCK_ROLES : [];
  for (const problem of path.problems)
    checks.fail(problem.code, about, { detail: describePathProblem(problem, roles) });
  if (path.problems.length > 0) return false;
  checks.pass('cert_untrusted', about, { detail: 'the path ends at a pinned root, and every signature in it holds' });
  const validity = judgeValidity(path.certificates, at);
  return checks.require(validity === null, 'cert_validity', about, {
    expected: at.toISOString(),
    detail: 'every certificate of the path is valid at the instant',
    otherwise: validity?.detail ?? '',
  });
}

/** Both are said: what is past its next update may be unconfirmed besides. */
function judgeTime(checks: CheckList, found: CollateralAtHand, at: Date, about: string): boolean {
  const isInTime = judgeWindows(checks, found.value, at, about);
  return judgeConfirmation(checks, found, about) && isInTime;
}

function verifyQeOf({ checks, quote, context }: Run, { value }: CollateralAtHand): SvnLevel | null {
  return verifyQeIdentity(checks, quote.qe.report, value.qeIdentity.value, context.about.quote);
}

function ratePlatform(run: Run, { value }: CollateralAtHand, level: SvnLevel): PlatformTcb | null {
  const { checks, quote, pck, context } = run;
  const info = value.tcbInfo.value;
  if (!verifyPlatform(checks, info, pck, `${context.about.collateral}/tcb_info`)) return null;
  const qe = { identity: value.qeIdentity.value, level, isvSvn: quote.qe.report.isvSvn };
  return verifyPlatformTcb(checks, { pck, body: quote.body, info, qe }, context.about.quote);
}

/** The quote is signed by an enclave of a genuine platform. Without collateral to rely on there are no claims. */
function concluded(run: Run, timely: CollateralAtHand | null, platform: PlatformTcb | null): TdQuoteVerification {
  const { checks, quote, path, pck, context } = run;
  checks.skipRest(REQUIRED, context.about.quote, 'the collateral could not be relied on');
  return {
    checks: checks.all,
    required: REQUIRED,
    claims: platform === null ? null : markVerified(tdxClaims(quote, pck, platform.tcb)),
    shortfalls: platform?.shortfalls ?? [],
    collateralIssued: timely && collateralIssued(timely.value),
    reportData: markVerified(quote.body.reportData),
    endorsements: usedEndorsements(path, timely),
    validUntil: earliest(earliestEnd(path.certificates), timely && collateralEnd(timely.value)),
  };
}

/** @param endorsements of what speaks against the quote */
function stopped(
  checks: CheckList,
  about: string,
  because: string,
  endorsements: readonly UsedEndorsement[] = [],
): TdQuoteVerification {
  checks.skipRest(REQUIRED, about, because);
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

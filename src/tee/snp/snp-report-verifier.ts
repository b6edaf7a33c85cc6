import { AMD_LINES, type AmdLines } from '../../core/amd-lines.js';
import type { Checks } from '../../core/check.js';
import type { SnpClaims, SnpProduct } from '../../core/claims.js';
import type { CheckId } from '../../core/codes.js';
import { earliest } from '../../core/earliest.js';
import type {
  DerChain,
  HashedDer,
  Provenance,
  SnpEndorsementRequest,
  SnpSigningKey,
  SuppliedVek,
  UsedEndorsement,
} from '../../core/endorsement.js';
import { nullIfMalformed, within } from '../../core/errors.js';
import type { SnpEndorsementInput } from '../../core/evidence.js';
import { hashed } from '../../crypto/digest.js';
import { checksAt } from '../catalogue.js';
import { markVerified } from '../shared/evidence/mark-verified.js';
import type {
  OpenedSnpReport,
  PartContext,
  SnpReportPlaces,
  SnpReportVerification,
  SnpReportVerifier,
} from '../shared/evidence/parts.js';
import { RevocationLists } from './amd/crls.js';
import { candidateLines, lineOf } from './amd/product-lines.js';
import { AMD_ROOT_PINS, type AmdRootPins } from './amd/roots.js';
import { readTcb, requireTcbReservedZero } from './amd/tcb.js';
import { lineOfVek, type Vek } from './amd/vek.js';
import { isIssued, pathEnd, type VekPath, VekPaths } from './amd/vek-path.js';
import { type EndorsedKey, endorseKey, type ReportChecks } from './endorsed-key.js';
import { parseSnpReport, type SnpReport } from './format/snp-report.js';
import {
  verifyChipId,
  verifyProduct,
  verifyReportFields,
  verifySignature,
  verifyTcbExtensions,
} from './report-checks.js';
import { type RevocationVerdict, verifyRevocation } from './revocation.js';
import { snpClaims } from './snp-claims.js';
import { readSuppliedCertificates, type SuppliedCertificates } from './supplied-certificates.js';

/** Checks that must have an outcome for every report. Checks that are recorded only on failure are not in this list. */
const REQUIRED = [
  'snp_key_kind',
  'vcek_unavailable',
  'cert_untrusted',
  'cert_validity',
  'crl_unavailable',
  'snp_product',
  'snp_product_refused',
  'snp_chip_id',
  'snp_tcb_cert',
  'snp_signature',
  'snp_debug',
  'snp_migration_agent',
  'snp_tcb_order',
  'snp_id_key',
] as const satisfies readonly CheckId[];

/** Checks that the key belongs to the chip, TCB and product line of the report. */
const KEY_BINDING_CHECKS = ['snp_product', 'snp_chip_id', 'snp_tcb_cert'] as const;

export interface SnpReportVerifierOptions {
  /** Product lines that the operator refuses. */
  readonly refuseProducts: ReadonlySet<SnpProduct>;
  readonly pins?: AmdRootPins;
  readonly lines?: AmdLines;
}

/** A parsed report with its stated signing key and the certificates that the request supplies. */
interface SignedReport {
  readonly report: SnpReport;
  readonly signingKey: SnpSigningKey;
  readonly supplied: SuppliedCertificates;
  /** CRLs in the request. */
  readonly crls: readonly HashedDer[];
}

/** Verifies an ATTESTATION_REPORT and its endorsements. */
export class AmdSnpReportVerifier implements SnpReportVerifier {
  readonly #refuseProducts: ReadonlySet<SnpProduct>;
  readonly #lines: AmdLines;
  readonly #paths: VekPaths;
  readonly #lists = new RevocationLists();

  constructor(options: SnpReportVerifierOptions) {
    this.#refuseProducts = options.refuseProducts;
    this.#lines = options.lines ?? AMD_LINES;
    this.#paths = new VekPaths(options.pins ?? AMD_ROOT_PINS);
  }

  open(bytes: Uint8Array, input: SnpEndorsementInput, about: SnpReportPlaces): OpenedSnpReport {
    const report = within(about.report, () => readReport(bytes, this.#lines));
    const { signingKey } = report;
    if (signingKey === 'none') return { needs: [], verify: async () => unsigned(checksOf(about)) };
    const supplied = readSuppliedCertificates(input, signingKey, this.#paths, about.endorsements);
    const signed = { report, signingKey, supplied, crls: input.crls.map(hashed) };
    return {
      needs: [neededBy(signed, this.#paths, this.#lines)],
      verify: (context) => this.#verify(checksOf(about), signed, context),
    };
  }

  /** Runs steps 2 to 11 of README.md in this folder. `open` runs step 1; the verifier of the evidence runs step 12. */
  async #verify(checks: ReportChecks, signed: SignedReport, context: PartContext): Promise<SnpReportVerification> {
    const { report, signingKey, supplied, crls } = signed;
    const { at, endorsements } = context;
    const found = endorsements.snp;
    const lines = this.#lines;

    // 2 to 4. The key certificate: its kind, its chain and its validity.
    const endorsed = endorseKey(checks, this.#paths, { report, signingKey, supplied, found, at, lines });
    if (endorsed === null) return stopped(checks.report, 'no key certificate could be relied on');
    const { vek, path, product } = endorsed;

    // 5. Revocation of the ASK or ASVK.
    const revocation = verifyRevocation(checks.endorsements, this.#lists, { path, product, supplied: crls, found, at });
    const used = usedEndorsements(endorsed, signingKey, revocation);
    if (revocation.state === 'revoked') return stopped(checks.report, 'the key certificate is revoked', used);

    // 6 to 9. These checks run before the signature check, because they explain why a report does not fit its
    // certificate.
    const line = lineOf(product, lines);
    verifyProduct(checks.report, report, vek, { line, lines });
    this.#verifyNotRefused(checks.report, product);
    verifyChipId(checks.report, report, vek, line);
    verifyTcbExtensions(checks.report, report, vek, line);

    // 10. The signature.
    if (!(await verifySignature(checks.report, report, vek))) return unverified(checks.report);

    // 11. The fields of the report that every policy requires.
    verifyReportFields(checks.report, report, line);

    const claims = () => snpClaims(report, { line, lines }, { signingKey, cspId: vek.extensions.cspId });
    return {
      ...provenBy(checks.report, path, claims, report.reportData),
      checks: checks.report.all,
      required: REQUIRED,
      endorsements: used,
      validUntil: earliest(pathEnd(path), revocation.crl?.notAfter ?? null),
    };
  }

  #verifyNotRefused(checks: Checks, product: SnpProduct): void {
    checks.require(!this.#refuseProducts.has(product), 'snp_product_refused', {
      expected: [...this.#refuseProducts].map((refused) => `not ${refused}`),
      actual: product,
    });
  }
}

/**
 * Returns no claims if the key belongs to another chip, TCB or product line: a valid signature by that key proves
 * nothing.
 */
function provenBy(
  checks: Checks,
  { vek, intermediate, root }: VekPath,
  claims: () => SnpClaims,
  reportData: Uint8Array,
): Pick<SnpReportVerification, 'claims' | 'reportData' | 'certificates'> {
  if (!KEY_BINDING_CHECKS.every((id) => checks.holds(id))) {
    return { claims: null, reportData: null, certificates: null };
  }
  const certificates = [vek.der, intermediate.der, root.der] as const;
  return { claims: markVerified(claims()), reportData: markVerified(reportData), certificates };
}

function checksOf(about: SnpReportPlaces): ReportChecks {
  const report = checksAt(about.report);
  return { report, endorsements: report.at(about.endorsements) };
}

function readReport(bytes: Uint8Array, lines: AmdLines): SnpReport {
  const report = parseSnpReport(bytes);
  requireTcbReservedZero(report, lines);
  return report;
}

/**
 * Requests the product line of the supplied VEK. Without a VEK, requests every line that fits the report's processor.
 */
function neededBy(
  { report, signingKey, supplied, crls }: SignedReport,
  paths: VekPaths,
  lines: AmdLines,
): SnpEndorsementRequest {
  const product = supplied.vek?.product ?? null;
  return {
    kind: 'amd-snp',
    signingKey,
    products: product === null ? candidateLines(report, lines).map((line) => line.product) : [product],
    chipId: report.chipId,
    chipIdBytes: (line) => lineOf(line, lines).chipIdBytes,
    reportedTcb: (line) => readTcb(report.tcb.reported, lineOf(line, lines)),
    supplied: {
      vek: supplied.vek === null ? null : suppliedVek(supplied.vek, paths),
      chain: supplied.chain !== null,
      crls: crls.length > 0,
    },
    hasPath: (vek, chain) => hasPath(paths, supplied.vek ?? (vek && readHeld(paths, vek)), supplied.chain ?? chain),
  };
}

/** Reads a certificate from a source; null if it is malformed. */
const readHeld = (paths: VekPaths, vek: HashedDer) => nullIfMalformed(() => paths.readVek(vek));

function hasPath(paths: VekPaths, vek: Vek | null, chain: DerChain | null): boolean {
  if (vek === null || chain === null) return false;
  return nullIfMalformed(() => paths.verify(vek, chain))?.problems.length === 0;
}

function suppliedVek(vek: Vek, paths: VekPaths): SuppliedVek {
  return {
    sha256: vek.sha256,
    namesIssuer: lineOfVek(vek) !== null,
    isIssuedBy: (chain) => isIssued(paths.verify(vek, chain)),
  };
}

function unsigned({ report }: ReportChecks): SnpReportVerification {
  report.fail('snp_key_kind', {
    expected: ['vcek', 'vlek'],
    actual: 'none',
    detail: 'no key signed the report',
  });
  return stopped(report, 'no key signed the report');
}

/**
 * The result for a report with an invalid signature. Removes the compared values from the earlier checks, because the
 * fields of the report turned out to be unverified.
 */
function unverified(report: Checks): SnpReportVerification {
  report.withhold(KEY_BINDING_CHECKS);
  return stopped(report, 'the signature of the report does not verify');
}

/** @param endorsements the endorsements that led to the rejection */
function stopped(
  checks: Checks,
  because: string,
  endorsements: readonly UsedEndorsement[] = [],
): SnpReportVerification {
  checks.skipRest(REQUIRED, because);
  return {
    checks: checks.all,
    required: REQUIRED,
    claims: null,
    reportData: null,
    endorsements,
    validUntil: null,
    certificates: null,
  };
}

function usedEndorsements(
  { path, from }: EndorsedKey,
  signingKey: SnpSigningKey,
  { state, crl }: RevocationVerdict,
): readonly UsedEndorsement[] {
  const used = (
    kind: UsedEndorsement['kind'],
    role: keyof VekPath['sha256'],
    { origin: source, fetchedAt = null }: Provenance,
    revocation: UsedEndorsement['revocation'],
  ) => {
    const notAfter = path[role].notAfter ?? new Date(0);
    return { kind, sha256: path.sha256[role], source, notAfter, fetchedAt, revocation };
  };
  return [
    used(signingKey, 'vek', from.vek, 'not_applicable'),
    used(signingKey === 'vcek' ? 'ask' : 'asvk', 'intermediate', from.chain, state),
    used('ark', 'root', from.chain, 'not_applicable'),
    ...(crl === null ? [] : [crl]),
  ];
}

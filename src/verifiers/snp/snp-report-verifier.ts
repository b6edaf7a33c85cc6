import { inject, injectable } from 'tsyringe';
import { TOKENS } from '../../composition/tokens.js';
import { parseSnpReport, type SnpReport } from '../../formats/snp-report.js';
import { candidateProducts, readTcb, requireTcbReservedZero } from '../../formats/snp-tcb.js';
import { CheckList } from '../../model/check.js';
import { SNP_PRODUCTS, type SnpProduct } from '../../model/claims.js';
import type { CheckId } from '../../model/codes.js';
import type {
  EndorsementRequest,
  SnpSigningKey,
  Sourced,
  Unavailable,
  UsedEndorsement,
} from '../../model/endorsement.js';
import { FormatError, within } from '../../model/errors.js';
import type { SnpEndorsementInput } from '../../model/evidence.js';
import type { SnpReportContext, SnpReportVerification, SnpReportVerifier } from '../../model/verification.js';
import { markVerified } from '../mark-verified.js';
import { type RevocationVerdict, verifyRevocation } from './amd-revocation.js';
import {
  verifyChipId,
  verifyProduct,
  verifyReportFields,
  verifySignature,
  verifyTcbExtensions,
} from './report-checks.js';
import { RevocationLists } from './revocation-lists.js';
import { snpClaims } from './snp-claims.js';
import { AMD_ROOT_PINS, type AmdRootPins, issuerName } from './trust-anchors.js';
import { type BroughtMaterial, broughtMaterial, chooseChain, chooseVek } from './vek-material.js';
import { judgePathValidity, pathEnd, type Vek, type VekPath, VekPaths } from './vek-path.js';

/** Checks that every report must have an outcome for. What is recorded only when it fails is not among them. */
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

export interface SnpReportVerifierOptions {
  /** Product lines that the operator refuses. */
  readonly refuseProducts: ReadonlySet<SnpProduct>;
  readonly pins?: AmdRootPins;
}

/** One verification in progress. */
interface Run {
  readonly checks: CheckList;
  readonly report: SnpReport;
  readonly input: SnpEndorsementInput;
  readonly context: SnpReportContext;
  readonly brought: BroughtMaterial;
}

/** A key certificate and its path, with where each came from. */
interface Endorsed {
  readonly vek: Vek;
  readonly path: VekPath;
  readonly product: SnpProduct;
  readonly origin: { readonly vek: Sourced<unknown>['origin']; readonly chain: Sourced<unknown>['origin'] };
}

/** Verifies an ATTESTATION_REPORT and its endorsements, in the order that README.md beside this file lists. */
@injectable()
export class AmdSnpReportVerifier implements SnpReportVerifier {
  readonly #refuseProducts: ReadonlySet<SnpProduct>;
  readonly #paths: VekPaths;
  readonly #lists = new RevocationLists();

  constructor(@inject(TOKENS.snpReportVerifierOptions) options: SnpReportVerifierOptions) {
    this.#refuseProducts = options.refuseProducts;
    this.#paths = new VekPaths(options.pins ?? AMD_ROOT_PINS);
  }

  reportEndorsements(
    bytes: Uint8Array,
    input: SnpEndorsementInput,
    about: SnpReportContext['about'],
  ): readonly EndorsementRequest[] {
    const report = within(about.report, () => parseReport(bytes));
    if (report.signingKey === 'none') return [];
    const brought = broughtMaterial(input, report.signingKey, about.endorsements);
    return [
      {
        kind: 'amd-snp',
        signingKey: report.signingKey,
        products: within(`${about.endorsements}/vek`, () => this.#productsOf(report, brought)),
        chipId: report.chipId,
        reportedTcb: (product) => readTcb(report.tcb.reported, product),
        has: { vek: brought.vek !== null, chain: brought.chain !== null },
      },
    ];
  }

  async verifyReport(
    bytes: Uint8Array,
    input: SnpEndorsementInput,
    context: SnpReportContext,
  ): Promise<SnpReportVerification> {
    const { about, at } = context;
    const report = within(about.report, () => parseReport(bytes));
    const checks = new CheckList();
    const signingKey = report.signingKey;
    if (signingKey === 'none') {
      checks.fail('snp_key_kind', about.report, {
        expected: ['vcek', 'vlek'],
        actual: 'none',
        detail: 'no key signed the report',
      });
      return this.#stopped(checks, about.report, 'no key signed the report');
    }
    const brought = broughtMaterial(input, signingKey, about.endorsements);
    const run: Run = { checks, report, input, context, brought };
    const endorsed = this.#endorse(run, signingKey);
    if (endorsed === null) return this.#stopped(checks, about.report, 'no key certificate could be relied on');
    const revocation = verifyRevocation(
      checks,
      this.#lists,
      endorsed.path,
      endorsed.product,
      input.crls,
      context.endorsements.snp,
      at,
      about.endorsements,
    );
    if (revocation.state === 'revoked') return this.#stopped(checks, about.report, 'the key certificate is revoked');
    return this.#judgeReport(run, endorsed, signingKey, revocation);
  }

  /** A VEK that the request brings names the line; else the report's processor, or every line that fits. */
  #productsOf(report: SnpReport, brought: BroughtMaterial): readonly SnpProduct[] {
    const product = brought.vek === null ? null : this.#paths.readVek(brought.vek).product;
    return product === null ? candidateProducts(report) : [product];
  }

  /** Kind of the key, then its path: a certificate of the wrong kind is not worth a path. */
  #endorse(run: Run, signingKey: SnpSigningKey): Endorsed | null {
    const { checks, context, brought } = run;
    const place = context.about.endorsements;
    const chosenVek = chooseVek(brought, context.endorsements.snp);
    if ('code' in chosenVek) {
      recordMissingVek(checks, run.report, chosenVek, context.about);
      return null;
    }
    const vek = this.#read(checks, chosenVek, `${place}/vek`, (der) => this.#paths.readVek(der));
    if (vek === null) return null;
    const kind = checks.require(vek.kind === signingKey, 'snp_key_kind', `${place}/vek`, {
      expected: signingKey,
      actual: vek.kind,
      detail: 'the key certificate is of the kind that the report names',
      otherwise: 'the key certificate is not of the kind that the report names',
    });
    if (!kind || !requireAmdIssuer(checks, vek, signingKey, `${place}/vek`)) return null;
    const chain = chooseChain(brought, context.endorsements.snp, vek.product);
    if ('code' in chain) {
      checks.unavailable(chain.code, place, chain.detail, chain.retryable);
      return null;
    }
    const path = this.#read(checks, chain, `${place}/chain`, (ders) => this.#paths.verify(vek, ders));
    if (path === null) return null;
    checks.pass('vcek_unavailable', place, { detail: 'key certificate and chain are at hand' });
    if (!judgePath(checks, path, context.at, place) || path.product === null) return null;
    return { vek, path, product: path.product, origin: { vek: chosenVek.origin, chain: chain.origin } };
  }

  /** Reads material: a fault of the request's own is malformed, one of a source's means that it is out of reach. */
  #read<T, R>(checks: CheckList, sourced: Sourced<T>, about: string, read: (value: T) => R): R | null {
    try {
      return read(sourced.value);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      if (sourced.origin === 'evidence') throw error.at(about);
      checks.unavailable(
        'vcek_unavailable',
        about,
        `what the ${sourced.origin} holds cannot be read: ${error.message}`,
        true,
      );
      return null;
    }
  }

  async #judgeReport(
    run: Run,
    endorsed: Endorsed,
    signingKey: SnpSigningKey,
    revocation: RevocationVerdict,
  ): Promise<SnpReportVerification> {
    const { checks, report, context } = run;
    const { vek, product } = endorsed;
    const about = context.about.report;
    verifyProduct(checks, report, product, about);
    checks.require(!this.#refuseProducts.has(product), 'snp_product_refused', about, {
      expected: [...this.#refuseProducts].map((refused) => `not ${refused}`),
      actual: product,
      detail: 'the operator does not refuse this product line',
      otherwise: 'the operator refuses this product line',
    });
    verifyChipId(checks, report, vek, about);
    verifyTcbExtensions(checks, report, vek, product, about);
    if (!(await verifySignature(checks, report, vek, about))) {
      return this.#stopped(checks, about, 'the signature of the report does not hold');
    }
    verifyReportFields(checks, report, product, about);
    // A report of another chip, TCB or line is signed all the same, but not by the key that it must be: no claims.
    const own = checks.holds('snp_product') && checks.holds('snp_chip_id') && checks.holds('snp_tcb_cert');
    return {
      checks: checks.all,
      required: REQUIRED,
      claims: own ? markVerified(snpClaims(report, product, signingKey)) : null,
      reportData: own ? markVerified(report.reportData) : null,
      endorsements: usedEndorsements(endorsed, signingKey, revocation),
      validUntil: earliest(pathEnd(endorsed.path), revocation.crl?.notAfter ?? null),
    };
  }

  #stopped(checks: CheckList, about: string, because: string): SnpReportVerification {
    checks.skip(
      REQUIRED.filter((id) => !checks.ran(id)),
      about,
      because,
    );
    return {
      checks: checks.all,
      required: REQUIRED,
      claims: null,
      reportData: null,
      endorsements: [],
      validUntil: null,
    };
  }
}

function parseReport(bytes: Uint8Array): SnpReport {
  const report = parseSnpReport(bytes);
  requireTcbReservedZero(report);
  return report;
}

/** A key certificate whose issuer is none of AMD's for this kind of key ends at no pinned root, whatever the chain. */
function requireAmdIssuer(checks: CheckList, vek: Vek, signingKey: SnpSigningKey, about: string): boolean {
  const issuer = vek.certificate.issuer.commonName;
  if (vek.product !== null && issuer === issuerName(vek.product, signingKey)) return true;
  checks.fail('cert_untrusted', about, {
    expected: SNP_PRODUCTS.map((product) => issuerName(product, signingKey)),
    actual: issuer,
    detail: 'the issuer of the key certificate is none of AMD for this kind of key',
  });
  return false;
}

/** A report of a line without a root can never be verified; any other may be, once its key certificate is found. */
function recordMissingVek(
  checks: CheckList,
  report: SnpReport,
  missing: Unavailable,
  about: SnpReportContext['about'],
): void {
  if (candidateProducts(report).length > 0) {
    checks.unavailable(missing.code, about.endorsements, missing.detail, missing.retryable);
    return;
  }
  checks.fail('snp_product', about.report, {
    expected: [...SNP_PRODUCTS],
    actual: report.cpuid === null ? null : { ...report.cpuid },
    detail: 'the processor is of no product line with a pinned root',
  });
}

function judgePath(checks: CheckList, path: VekPath, at: Date, about: string): boolean {
  for (const problem of path.problems) checks.fail(problem.code, about, { detail: problem.detail });
  if (path.problems.length > 0) return false;
  checks.pass('cert_untrusted', about, { detail: 'the path ends at a pinned root, and every signature in it holds' });
  const validity = judgePathValidity(path, at);
  return checks.require(validity === null, 'cert_validity', about, {
    expected: at.toISOString(),
    detail: 'every certificate of the path is valid at the instant',
    otherwise: validity?.detail ?? '',
  });
}

function usedEndorsements(
  { path, origin }: Endorsed,
  signingKey: SnpSigningKey,
  { state, crl }: RevocationVerdict,
): readonly UsedEndorsement[] {
  const used = (
    kind: UsedEndorsement['kind'],
    role: keyof VekPath['sha256'],
    source: UsedEndorsement['source'],
    revocation: UsedEndorsement['revocation'],
  ) => ({ kind, sha256: path.sha256[role], source, notAfter: path[role].notAfter ?? new Date(0), revocation });
  return [
    used(signingKey, 'vek', origin.vek, 'not_applicable'),
    used(signingKey === 'vcek' ? 'ask' : 'asvk', 'intermediate', origin.chain, state),
    used('ark', 'root', origin.chain, 'not_applicable'),
    ...(crl === null ? [] : [crl]),
  ];
}

function earliest(a: Date, b: Date | null): Date {
  return b !== null && b.getTime() < a.getTime() ? b : a;
}

import { inject, injectable } from 'tsyringe';
import { parseSnpReport, type SnpReport } from '../../formats/snp-report.js';
import { CheckList } from '../../model/check.js';
import type { SnpProduct } from '../../model/claims.js';
import type { CheckId } from '../../model/codes.js';
import { earliest } from '../../model/earliest.js';
import type { SnpEndorsementRequest, SnpSigningKey, UsedEndorsement } from '../../model/endorsement.js';
import { within } from '../../model/errors.js';
import type { SnpEndorsementInput } from '../../model/evidence.js';
import { TOKENS } from '../../model/injection-tokens.js';
import type { SnpReportContext, SnpReportVerification, SnpReportVerifier } from '../../model/verification.js';
import { RevocationLists } from '../../vendors/amd/crls.js';
import { AMD_ROOT_PINS, type AmdRootPins } from '../../vendors/amd/roots.js';
import { candidateProducts, readTcb, requireTcbReservedZero } from '../../vendors/amd/tcb.js';
import { pathEnd, type VekPath, VekPaths } from '../../vendors/amd/vek-path.js';
import { markVerified } from '../evidence/mark-verified.js';
import { readOnce } from '../evidence/read-once.js';
import { type RevocationVerdict, verifyRevocation } from './amd-revocation.js';
import { type EndorsedKey, endorseKey } from './endorsed-key.js';
import {
  verifyChipId,
  verifyProduct,
  verifyReportFields,
  verifySignature,
  verifyTcbExtensions,
} from './report-checks.js';
import { snpClaims } from './snp-claims.js';
import { type BroughtMaterial, broughtMaterial } from './vek-material.js';

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
  readonly context: SnpReportContext;
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
  ): readonly SnpEndorsementRequest[] {
    const report = within(about.report, () => readReport(bytes));
    if (report.signingKey === 'none') return [];
    const brought = broughtMaterial(input, report.signingKey, about.endorsements);
    return [
      {
        kind: 'amd-snp',
        signingKey: report.signingKey,
        products: within(`${about.endorsements}/vek`, () => this.#productsOf(report, brought)),
        chipId: report.chipId,
        reportedTcb: (product) => readTcb(report.tcb.reported, product),
        brought: { vek: brought.vek, chain: brought.chain !== null, crls: input.crls.length > 0 },
      },
    ];
  }

  async verifyReport(
    bytes: Uint8Array,
    input: SnpEndorsementInput,
    context: SnpReportContext,
  ): Promise<SnpReportVerification> {
    const { about, at } = context;
    const report = within(about.report, () => readReport(bytes));
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
    const run: Run = { checks, report, context };
    const endorsed = endorseKey(checks, this.#paths, {
      report,
      signingKey,
      brought,
      found: context.endorsements.snp,
      at,
      about,
    });
    if (endorsed === null) return this.#stopped(checks, about.report, 'no key certificate could be relied on');
    const revocation = verifyRevocation(checks, this.#lists, {
      path: endorsed.path,
      product: endorsed.product,
      brought: input.crls,
      found: context.endorsements.snp,
      at,
      about: about.endorsements,
    });
    if (revocation.state === 'revoked') {
      const endorsements = usedEndorsements(endorsed, signingKey, revocation);
      return this.#stopped(checks, about.report, 'the key certificate is revoked', endorsements);
    }
    return this.#judgeReport(run, endorsed, signingKey, revocation);
  }

  /** A VEK that the request brings names the line; else the report's processor, or every line that fits. */
  #productsOf(report: SnpReport, brought: BroughtMaterial): readonly SnpProduct[] {
    const product = brought.vek === null ? null : this.#paths.readVek(brought.vek).product;
    return product === null ? candidateProducts(report) : [product];
  }

  async #judgeReport(
    run: Run,
    endorsed: EndorsedKey,
    signingKey: SnpSigningKey,
    revocation: RevocationVerdict,
  ): Promise<SnpReportVerification> {
    const { checks, report, context } = run;
    const { vek, product } = endorsed;
    const about = context.about.report;
    verifyProduct(checks, report, vek, product, about);
    checks.require(!this.#refuseProducts.has(product), 'snp_product_refused', about, {
      expected: [...this.#refuseProducts].map((refused) => `not ${refused}`),
      actual: product,
      detail: 'the operator does not refuse this product line',
      otherwise: 'the operator refuses this product line',
    });
    verifyChipId(checks, report, vek, about);
    verifyTcbExtensions(checks, report, vek, product, about);
    if (!(await verifySignature(checks, report, vek, about))) {
      checks.withhold(['snp_product', 'snp_chip_id', 'snp_tcb_cert']);
      return this.#stopped(checks, about, 'the signature of the report does not hold');
    }
    verifyReportFields(checks, report, product, about);
    // A report of another chip, TCB or line is signed all the same, but not by the key that it must be: no claims.
    const own = checks.holds('snp_product') && checks.holds('snp_chip_id') && checks.holds('snp_tcb_cert');
    return {
      checks: checks.all,
      required: REQUIRED,
      claims: own ? markVerified(snpClaims(report, product, { signingKey, cspId: vek.extensions.cspId })) : null,
      reportData: own ? markVerified(report.reportData) : null,
      endorsements: usedEndorsements(endorsed, signingKey, revocation),
      validUntil: earliest(pathEnd(endorsed.path), revocation.crl?.notAfter ?? null),
      certificates: own ? certificatesOf(endorsed.path) : null,
    };
  }

  /** @param endorsements of what speaks against the report */
  #stopped(
    checks: CheckList,
    about: string,
    because: string,
    endorsements: readonly UsedEndorsement[] = [],
  ): SnpReportVerification {
    checks.skipRest(REQUIRED, about, because);
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
}

const readReport: (bytes: Uint8Array) => SnpReport = readOnce((bytes) => {
  const report = parseSnpReport(bytes);
  requireTcbReservedZero(report);
  return report;
});

function certificatesOf({ vek, intermediate, root }: VekPath): readonly [Uint8Array, Uint8Array, Uint8Array] {
  return [vek.der, intermediate.der, root.der];
}

function usedEndorsements(
  { path, origin }: EndorsedKey,
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

import { describePathProblem } from '../../crypto/certificate-path.js';
import type { SnpReport } from '../../formats/snp-report.js';
import type { CheckList } from '../../model/check.js';
import { SNP_PRODUCTS, type SnpProduct } from '../../model/claims.js';
import type { SnpEndorsementSet, SnpSigningKey, Sourced, Unavailable } from '../../model/endorsement.js';
import { FormatError } from '../../model/errors.js';
import type { SnpReportContext } from '../../model/verification.js';
import { certificateRoles, issuerName } from '../../vendors/amd/issuers.js';
import { candidateProducts } from '../../vendors/amd/tcb.js';
import { judgePathValidity, type Vek, type VekPath, type VekPaths } from '../../vendors/amd/vek-path.js';
import { type BroughtMaterial, chooseChain, chooseVek } from './vek-material.js';

/** A key certificate and its path, with where each came from. */
export interface EndorsedKey {
  readonly vek: Vek;
  readonly path: VekPath;
  readonly product: SnpProduct;
  readonly origin: { readonly vek: Sourced<unknown>['origin']; readonly chain: Sourced<unknown>['origin'] };
}

/** What a report says of its key, and what is at hand of certificates. */
export interface KeyToEndorse {
  readonly report: SnpReport;
  readonly signingKey: SnpSigningKey;
  readonly brought: BroughtMaterial;
  readonly found: SnpEndorsementSet | null;
  readonly at: Date;
  readonly about: SnpReportContext['about'];
}

/**
 * Finds the certificate of the key that is said to have signed a report, and verifies its path to a pinned root.
 * Kind of the key first, then the path: a certificate of the wrong kind is not worth one.
 *
 * @returns null where nothing can be relied on; the checks say why
 * @throws {FormatError} where a certificate that the request brings is malformed
 */
export function endorseKey(checks: CheckList, paths: VekPaths, key: KeyToEndorse): EndorsedKey | null {
  const { signingKey, brought, found, about } = key;
  const place = about.endorsements;
  const chosenVek = chooseVek(brought, found);
  if ('code' in chosenVek) {
    recordMissingVek(checks, key, chosenVek);
    return null;
  }
  const vek = read(checks, chosenVek, `${place}/vek`, (der) => paths.readVek(der));
  if (vek === null || !requireKind(checks, vek, signingKey, `${place}/vek`)) return null;
  const chain = chooseChain(brought, found, vek.product);
  if ('code' in chain) {
    checks.unavailable(chain.code, place, chain.detail, chain.retryable);
    return null;
  }
  const path = read(checks, chain, `${place}/chain`, (ders) => paths.verify(vek, ders));
  if (path === null) return null;
  checks.pass('vcek_unavailable', place, { detail: 'key certificate and chain are at hand' });
  if (!judgePath(checks, path, key) || path.product === null) return null;
  return { vek, path, product: path.product, origin: { vek: chosenVek.origin, chain: chain.origin } };
}

/** Reads material: a fault of the request's own is malformed, one of a source's means that it is out of reach. */
function read<T, R>(checks: CheckList, sourced: Sourced<T>, about: string, reading: (value: T) => R): R | null {
  try {
    return reading(sourced.value);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    if (sourced.origin === 'evidence') throw error.at(about);
    const detail = `what the ${sourced.origin} holds cannot be read: ${error.message}`;
    checks.unavailable('vcek_unavailable', about, detail, true);
    return null;
  }
}

function requireKind(checks: CheckList, vek: Vek, signingKey: SnpSigningKey, about: string): boolean {
  const kind = checks.require(vek.kind === signingKey, 'snp_key_kind', about, {
    expected: signingKey,
    actual: vek.kind,
    detail: 'the key certificate is of the kind that the report names',
    otherwise: 'the key certificate is not of the kind that the report names',
  });
  return kind && requireAmdIssuer(checks, vek, signingKey, about);
}

/** A key certificate whose issuer is none of AMD's for this kind of key ends at no pinned root, whatever the chain. */
function requireAmdIssuer(checks: CheckList, vek: Vek, signingKey: SnpSigningKey, about: string): boolean {
  const issuer = vek.certificate.issuer.commonName;
  if (vek.product !== null && issuer === issuerName(vek.product, signingKey)) return true;
  checks.fail('cert_untrusted', about, {
    expected: SNP_PRODUCTS.map((product) => issuerName(product, signingKey)),
    detail: 'the issuer of the key certificate is none of AMD for this kind of key',
  });
  return false;
}

/** A report of a line without a root can never be verified; any other may be, once its key certificate is found. */
function recordMissingVek(checks: CheckList, { report, about }: KeyToEndorse, missing: Unavailable): void {
  if (candidateProducts(report).length > 0) {
    checks.unavailable(missing.code, about.endorsements, missing.detail, missing.retryable);
    return;
  }
  checks.fail('snp_product', about.report, {
    expected: [...SNP_PRODUCTS],
    detail: 'the processor is of no product line with a pinned root',
  });
}

function judgePath(checks: CheckList, path: VekPath, { signingKey, at, about }: KeyToEndorse): boolean {
  const place = about.endorsements;
  if (path.otherLine !== null) {
    const detail = `the chain is of ${path.otherLine}, the key certificate of ${path.product}`;
    checks.fail('cert_untrusted', place, { actual: path.otherLine, detail });
    return false;
  }
  for (const problem of path.problems) {
    checks.fail(problem.code, place, { detail: describePathProblem(problem, certificateRoles(signingKey)) });
  }
  if (path.problems.length > 0) return false;
  checks.pass('cert_untrusted', place, { detail: 'the path ends at a pinned root, and every signature in it holds' });
  const validity = judgePathValidity(path, at);
  return checks.require(validity === null, 'cert_validity', place, {
    expected: at.toISOString(),
    detail: 'every certificate of the path is valid at the instant',
    otherwise: validity?.detail ?? '',
  });
}

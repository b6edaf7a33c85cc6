import type { AmdLines } from '../../core/amd-lines.js';
import type { Checks } from '../../core/check.js';
import type { SnpProduct } from '../../core/claims.js';
import type { Provenance, SnpEndorsementSet, SnpSigningKey, Sourced, Unavailable } from '../../core/endorsement.js';
import { FormatError } from '../../core/errors.js';
import { verifyPath } from '../shared/evidence/path-checks.js';
import { certificateRoles, issuerName } from './amd/issuers.js';
import { candidateLines } from './amd/product-lines.js';
import type { Vek } from './amd/vek.js';
import type { VekPath, VekPaths } from './amd/vek-path.js';
import type { SnpReport } from './format/snp-report.js';
import { chooseChain, type SuppliedCertificates } from './supplied-certificates.js';

/** The checks of a report, and the checks of its endorsements at another place in the request. */
export interface ReportChecks {
  readonly report: Checks;
  readonly endorsements: Checks;
}

/** A key certificate and its chain, each with its source. */
export interface EndorsedKey {
  readonly vek: Vek;
  readonly path: VekPath;
  readonly product: SnpProduct;
  readonly from: { readonly vek: Provenance; readonly chain: Provenance };
}

/** The signing key of a report, and the available certificates. */
export interface KeyToEndorse {
  readonly report: SnpReport;
  readonly signingKey: SnpSigningKey;
  readonly supplied: SuppliedCertificates;
  readonly found: SnpEndorsementSet | null;
  readonly at: Date;
  /** Product lines that a report can be of. */
  readonly lines: AmdLines;
}

/**
 * Finds the certificate of the key that the report names as its signer, and verifies its chain up to a pinned root.
 * Checks the kind of the key first, and verifies no chain for a certificate of the wrong kind.
 *
 * @returns null if no certificate can be relied on; the checks give the reason
 * @throws {FormatError} if a certificate in the request is malformed
 */
export function endorseKey(checks: ReportChecks, paths: VekPaths, key: KeyToEndorse): EndorsedKey | null {
  const { endorsements } = checks;
  const { supplied, found } = key;
  const vek = vekOf(checks, paths, key);
  if (vek === null || !requireKind(endorsements.inside('/vek'), vek.value, key)) return null;
  const chain = chooseChain(supplied, found, vek.value.product);
  if ('code' in chain) {
    endorsements.unavailable(chain.code, chain);
    return null;
  }
  const path = read(endorsements.inside('/chain'), chain, (ders) => paths.verify(vek.value, ders));
  if (path === null) return null;
  endorsements.pass('vcek_unavailable');
  if (!checkPath(endorsements, path, key) || path.product === null) return null;
  return { vek: vek.value, path, product: path.product, from: { vek, chain } };
}

/** Selects the VEK in the request, or else the one that a source found. A VEK in the request is never replaced. */
function vekOf(
  checks: ReportChecks,
  paths: VekPaths,
  { report, supplied, found, lines }: KeyToEndorse,
): Sourced<Vek> | null {
  if (supplied.vek !== null) return { value: supplied.vek, origin: 'evidence' };
  const sourced = found?.vek ?? {
    code: 'vcek_unavailable',
    detail: 'no source for the key certificate',
    retryable: false,
  };
  if ('code' in sourced) {
    recordMissingVek(checks, { report, lines }, sourced);
    return null;
  }
  const vek = read(checks.endorsements.inside('/vek'), sourced, (value) => paths.readVek(value));
  return vek === null ? null : { ...sourced, value: vek };
}

/**
 * Reads an endorsement. A malformed one in the request is an error; a malformed one from a source counts as
 * unavailable.
 */
function read<T, R>(checks: Checks, sourced: Sourced<T>, reading: (value: T) => R): R | null {
  try {
    return reading(sourced.value);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    if (sourced.origin === 'evidence') throw error.at(checks.about);
    const detail = `the material of the ${sourced.origin} cannot be read: ${error.message}`;
    checks.unavailable('vcek_unavailable', { detail, retryable: true });
    return null;
  }
}

function requireKind(checks: Checks, vek: Vek, key: KeyToEndorse): boolean {
  const { signingKey } = key;
  const kind = checks.require(vek.kind === signingKey, 'snp_key_kind', {
    expected: signingKey,
    actual: vek.kind,
  });
  return kind && requireAmdIssuer(checks, vek, key);
}

/** Requires an AMD CA for this kind of key as the issuer. With another issuer no chain ends at a pinned root. */
function requireAmdIssuer(checks: Checks, vek: Vek, { signingKey, lines }: KeyToEndorse): boolean {
  const issuer = vek.certificate.issuer.commonName;
  if (vek.product !== null && issuer === issuerName(vek.product, signingKey)) return true;
  checks.fail('cert_untrusted', {
    expected: [...lines.keys()].map((product) => issuerName(product, signingKey)),
    detail: 'the issuer of the key certificate is not an AMD CA for this kind of key',
  });
  return false;
}

/**
 * Records the missing VEK. A report of a line without a pinned root can never be verified; any other can with its VEK.
 */
function recordMissingVek(
  checks: ReportChecks,
  { report, lines }: Pick<KeyToEndorse, 'report' | 'lines'>,
  missing: Unavailable,
): void {
  if (candidateLines(report, lines).length > 0) {
    checks.endorsements.unavailable(missing.code, missing);
    return;
  }
  checks.report.fail('snp_product', {
    expected: [...lines.keys()],
    detail: 'no AMD root is pinned for the product line of the processor',
  });
}

function checkPath(checks: Checks, path: VekPath, { signingKey, at }: KeyToEndorse): boolean {
  if (path.otherLine !== null) {
    const detail = `the chain is for ${path.otherLine}, the key certificate for ${path.product}`;
    checks.fail('cert_untrusted', { actual: path.otherLine, detail });
    return false;
  }
  const { vek, intermediate, root, problems } = path;
  const roles = certificateRoles(signingKey);
  return verifyPath(checks, { certificates: [vek, intermediate, root], problems, roles }, at);
}

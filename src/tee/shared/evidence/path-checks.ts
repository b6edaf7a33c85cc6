import type { Checks } from '../../../core/check.js';
import {
  checkValidity,
  describePathProblem,
  type PathProblem,
  placeOfProblem,
} from '../../../crypto/certificate-path.js';
import type { X509Certificate } from '../../../formats/x509-certificate.js';

/** A certificate chain, and its faults at any time. */
export interface CheckedPath {
  /** Leaf first, root last. */
  readonly certificates: readonly X509Certificate[];
  readonly problems: readonly PathProblem[];
  /** The vendor's name for the certificate at each position, leaf first; empty if the names are not known. */
  readonly roles: readonly string[];
}

/** Records whether a chain verifies, and whether its certificates are valid at a time. @returns whether both hold */
export function verifyPath(checks: Checks, { certificates, problems, roles }: CheckedPath, at: Date): boolean {
  for (const problem of problems) {
    checks.fail(problem.code, {
      detail: describePathProblem(problem, roles),
      faults: [placeOfProblem(problem, roles)],
    });
  }
  if (problems.length > 0) return false;
  checks.pass('cert_untrusted');
  return verifyValidity(checks, certificates, at);
}

/**
 * Records whether every certificate of a chain is valid at a time.
 * @param said replaces the detail if the check passes
 */
export function verifyValidity(
  checks: Checks,
  path: readonly X509Certificate[],
  at: Date,
  said: { readonly detail?: string } = {},
): boolean {
  const problem = checkValidity(path, at);
  return checks.require(problem === null, 'cert_validity', {
    expected: at.toISOString(),
    ...said,
    otherwise: problem?.detail ?? '',
    faults: problem === null ? [] : [problem.detail],
  });
}

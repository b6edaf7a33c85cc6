import { AMD_LINES } from '../../core/amd-lines.js';
import { type Check, isOfToken } from '../../core/check.js';
import type { Claims } from '../../core/claims.js';
import { isTokenType, placeOf } from '../../core/evidence-traits.js';
import { CHECKS, checksAt } from '../../tee/catalogue.js';
import type { Policy } from '../document/policy-document.js';
import type { TopicInput } from './appraisal-topic.js';

/** Warnings about the evidence under every policy. Absent claims cause none. */
export function baseWarnings({ evidenceType, verification }: TopicInput): readonly Check[] {
  if (isTokenType(evidenceType)) return unnamedProduct(verification.checks);
  const { snp }: Claims = verification.claims;
  if (snp === undefined) return [];
  const checks = checksAt(placeOf('snp', evidenceType));
  if (!AMD_LINES.has(snp.product)) {
    checks.warn('snp_product_configured', { actual: snp.product });
  }
  if (snp.product === 'Milan') {
    checks.warn('snp_product_advisory', {
      actual: snp.product,
      detail:
        'a published attack extracts keys of Milan: whoever has the root seed of a chip can forge reports at any TCB (arXiv 2605.12990)',
    });
  }
  const { unknownBits } = snp.platformInfo;
  if (unknownBits.length > 0) {
    checks.warn('snp_platform_unknown', {
      actual: [...unknownBits],
      detail: `the platform info has bits set whose meaning is not known: ${unknownBits.join(', ')}`,
    });
  }
  return checks.all;
}

/**
 * Warns that a token about an SEV-SNP VM names no product line. For such a token alone, the verifier checks refused
 * lines.
 */
function unnamedProduct(found: readonly Check[]): readonly Check[] {
  const accepted = found.find(({ id, result }) => id === 'snp_product_refused' && result === 'pass');
  if (accepted === undefined) return [];
  const checks = checksAt(accepted.about);
  checks.warn('snp_product_advisory', {
    detail:
      'the token does not name the product line of the VM: it may be one that a published attack extracts keys of (arXiv 2605.12990)',
  });
  return checks.all;
}

/** Returns a base check under a policy: unchanged, except for the two relaxations that a policy can have. */
export function relaxed(check: Check, policy: Policy): Check {
  if (check.result !== 'fail' && check.result !== 'unavailable') return check;
  const { relaxedBy } = CHECKS[check.id];
  if (policy.allowDebug && relaxedBy === 'allowDebug' && check.result === 'fail') {
    return asWarning(check, policy.id, 'the policy allows debug');
  }
  // `revocation` applies to AMD's CRLs only. No policy can relax revocation of a token issuer's certificates.
  const ofAmd = relaxedBy === 'revocation' && !isOfToken(check);
  if (policy.revocation === 'best-effort' && ofAmd && check.result === 'unavailable') {
    return asWarning(check, policy.id, 'the policy sets revocation to best-effort');
  }
  return check;
}

/** Converts a check to a warning of a policy, with a reason. Removes the members that only fit the former result. */
export function asWarning(check: Check, policy: string, why: string): Check {
  const { retryable: _, group: __, ...rest } = check;
  return { ...rest, result: 'warn', policy, detail: `${check.detail}; ${why}` };
}

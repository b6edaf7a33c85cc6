import type { Check } from '../model/check.js';
import type { CheckId } from '../model/codes.js';
import { CERTIFICATE_REMEDIES } from './remedies/certificate-remedies.js';
import { GUEST_REMEDIES } from './remedies/guest-remedies.js';
import { REQUEST_REMEDIES } from './remedies/request-remedies.js';
import { SNP_REMEDIES } from './remedies/snp-remedies.js';
import { TDX_REMEDIES } from './remedies/tdx-remedies.js';
import { TOKEN_REMEDIES } from './remedies/token-remedies.js';
import { filled, type Remedy } from './remedies/words.js';

/**
 * What the operator, the guest's owner or the caller can do about a check that did not pass: one sentence.
 * Null where it passed or did not run.
 */
export function remedyOf(check: Check): string | null {
  if (check.result !== 'fail' && check.result !== 'warn' && check.result !== 'unavailable') return null;
  return filled(REMEDIES[check.id], check);
}

const REMEDIES: { readonly [id in CheckId]: Remedy } = {
  ...REQUEST_REMEDIES,
  ...CERTIFICATE_REMEDIES,
  ...SNP_REMEDIES,
  ...TDX_REMEDIES,
  ...GUEST_REMEDIES,
  ...TOKEN_REMEDIES,
};

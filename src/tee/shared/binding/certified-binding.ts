import type { CertifiedKeyClaims } from '../../../core/claims.js';
import type { ExpectedBinding } from '../../../core/verification.js';
import type { Verified } from '../../../core/verified.js';
import { equalInConstantTime } from '../../../crypto/constant-time.js';

/**
 * The expected values in evidence with a certified key. Where the bound key is that key, the certification binds it, and the
 * nonce itself is enough: N in place of X. A guest that put X into its quote all the same is held to X.
 *
 * @param extraData of the quote; null where there is no quote
 */
export function bindingWith(
  certified: Verified<CertifiedKeyClaims> | null,
  binding: ExpectedBinding | null,
  extraData: Uint8Array | null,
): ExpectedBinding | null {
  if (binding === null || certified === null || binding.jkt !== certified.jkt) return binding;
  if (extraData !== null && equalInConstantTime(extraData, binding.value)) return binding;
  return { ...binding, value: binding.nonce };
}

import type { CertifiedKeyClaims } from '../../../core/claims.js';
import type { ExpectedBinding } from '../../../core/verification.js';
import type { Verified } from '../../../core/verified.js';
import { equalInConstantTime } from '../../../crypto/constant-time.js';

/**
 * Returns the expected values for evidence with a certified key. If the bound key is that key, its certification binds
 * it, and the evidence must hold the nonce N in place of X. If the quote holds X anyway, X stays the expected value.
 *
 * @param extraData extraData of the quote; null if there is no quote
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

import { equalInConstantTime } from '../../crypto/constant-time.js';
import type { TpmtPublic } from '../../formats/tpmt-public.js';
import type { Checks } from '../../model/check.js';
import type { RsaPublicKey } from '../../model/rsa-public-key.js';
import type { Verified } from '../../model/verified.js';

/**
 * The public area that the guest states is that of the attestation key, and of a restricted signing key of this TPM. Nobody
 * vouches for the attributes: they can contradict what the paravisor does, and never prove it.
 */
export function verifyAkPublic(checks: Checks, publicArea: TpmtPublic, key: Verified<RsaPublicKey>): void {
  const same = isKey(publicArea, key);
  checks.require(same && isRestrictedSigningKey(publicArea), 'hcl_ak_mismatch', {
    detail: 'the public area sent is that of the attestation key that the runtime claims name',
    otherwise: same
      ? 'the public area sent is not that of a restricted signing key of a TPM'
      : 'the public area sent is of another key than the runtime claims name',
  });
}

function isKey({ key: stated }: TpmtPublic, key: RsaPublicKey): boolean {
  return stated.kind === 'rsa' && equalInConstantTime(stated.n, key.n) && equalInConstantTime(stated.e, key.e);
}

function isRestrictedSigningKey({ attributes }: TpmtPublic): boolean {
  const { fixedTpm, fixedParent, sensitiveDataOrigin, restricted, sign, decrypt } = attributes;
  return fixedTpm && fixedParent && sensitiveDataOrigin && restricted && sign && !decrypt;
}

import { equalInConstantTime } from '../../crypto/constant-time.js';
import { parseTpm2bPublic, type TpmtPublic } from '../../formats/tpmt-public.js';
import type { Checks } from '../../model/check.js';
import type { CertifiedKeyClaims, TpmClaims } from '../../model/claims.js';
import { within } from '../../model/errors.js';
import type { AzureGuestMembers } from '../../model/evidence.js';
import type { ExpectedBinding } from '../../model/verification.js';
import type { Verified } from '../../model/verified.js';
import { bindingWith } from '../binding/certified-binding.js';
import { markVerified } from '../evidence/mark-verified.js';
import type { OpenedCertifiedKey, OpenedTpmQuote, QuoteKey, TpmQuoteVerifier } from '../evidence/parts.js';

const AK_PUBLIC = '/evidence/akPublic';
const CERTIFIED_KEY = '/evidence/certifiedKey';

/** What an Azure guest sends of the keys of its vTPM, read. */
export interface GuestKeys {
  /** Public area of the attestation key; null where none was sent. */
  readonly akPublic: TpmtPublic | null;
  /** Null where none was sent. */
  readonly certifiedKey: OpenedCertifiedKey | null;
}

/** @throws {FormatError} `tpm_format` */
export function openGuestKeys({ akPublic, certifiedKey }: AzureGuestMembers, quotes: TpmQuoteVerifier): GuestKeys {
  return {
    akPublic: akPublic === undefined ? null : within(AK_PUBLIC, () => parseTpm2bPublic(akPublic)),
    certifiedKey:
      certifiedKey === undefined ? null : quotes.openCertifiedKey(certifiedKey, certifiedKey.about ?? CERTIFIED_KEY),
  };
}

/** What of the guest's keys holds under the attestation key. */
export interface VerifiedGuestKeys {
  /** What the evidence has to hold: N in place of X where a certified key is the bound one. */
  readonly binding: ExpectedBinding | null;
  /** What the quote claims, with the certified key. The quote has been verified, and its checks are recorded. */
  readonly withCertifiedKey: (tpm: Verified<TpmClaims> | null) => Verified<TpmClaims> | null;
}

/** Verifies the certification of a key, before the quote: what that has to hold depends on it. */
export function verifyGuestKeys(
  checks: Checks,
  { certifiedKey }: GuestKeys,
  { said }: OpenedTpmQuote,
  key: Verified<QuoteKey>,
  binding: ExpectedBinding | null,
): VerifiedGuestKeys {
  const found = certifiedKey?.verify(key, binding, said) ?? null;
  checks.addAll(found?.checks ?? []);
  const bindable = found?.bindable ?? null;
  return {
    binding: bindingWith(bindable, binding, said?.extraData ?? null),
    withCertifiedKey: (tpm) => withCertifiedKey(checks, tpm, bindable),
  };
}

/** The key is used under the quoted PCR values: where these do not hold, nothing is claimed of it. */
function withCertifiedKey(
  checks: Checks,
  tpm: Verified<TpmClaims> | null,
  certifiedKey: Verified<CertifiedKeyClaims> | null,
): Verified<TpmClaims> | null {
  if (tpm === null || certifiedKey === null || !checks.holds('tpm_pcr_digest')) return tpm;
  return markVerified({ ...tpm, certifiedKey });
}

/**
 * The public area that the guest states is that of the attestation key, and of a restricted signing key of this TPM. Nobody
 * vouches for the attributes: they can contradict what the TPM does, and never prove it.
 */
export function verifyAkPublic(all: Checks, { akPublic }: GuestKeys, key: Verified<QuoteKey>): void {
  if (akPublic === null) return;
  const same = isKey(akPublic, key);
  all.at(AK_PUBLIC).require(same && isRestrictedSigningKey(akPublic), 'hcl_ak_mismatch', {
    detail: 'the public area sent is that of the attestation key',
    otherwise: same
      ? 'the public area sent is not that of a restricted signing key of a TPM'
      : 'the public area sent is of another key than the attestation key',
  });
}

function isKey({ key: stated }: TpmtPublic, key: QuoteKey): boolean {
  if (stated.kind === 'ec' || key.kind === 'ec') {
    return (
      stated.kind === 'ec' &&
      key.kind === 'ec' &&
      stated.curve === key.curve &&
      equalInConstantTime(stated.x, key.x) &&
      equalInConstantTime(stated.y, key.y)
    );
  }
  return equalInConstantTime(stated.n, key.modulus) && equalInConstantTime(stated.e, key.exponent);
}

function isRestrictedSigningKey({ attributes }: TpmtPublic): boolean {
  const { fixedTpm, fixedParent, sensitiveDataOrigin, restricted, sign, decrypt } = attributes;
  return fixedTpm && fixedParent && sensitiveDataOrigin && restricted && sign && !decrypt;
}

import type { Checks } from '../../../core/check.js';
import type { CertifiedKeyClaims, TpmClaims } from '../../../core/claims.js';
import { FormatError, nullIfMalformed, within } from '../../../core/errors.js';
import type { AzureGuestMembers } from '../../../core/evidence.js';
import type { ExpectedBinding } from '../../../core/verification.js';
import type { Verified } from '../../../core/verified.js';
import { equalInConstantTime } from '../../../crypto/constant-time.js';
import { parsePublicKeyInfo } from '../../../formats/public-key.js';
import { bindingWith } from '../binding/certified-binding.js';
import { markVerified } from '../evidence/mark-verified.js';
import type {
  OpenedCertifiedKey,
  OpenedTpmQuote,
  QuoteKey,
  StatedPublic,
  TpmQuoteVerifier,
} from '../evidence/parts.js';

const AK_PUBLIC = '/evidence/akPublic';
const CERTIFIED_KEY = '/evidence/certifiedKey';

interface StatedKey extends Pick<StatedPublic, 'key'> {
  /** The name in errors. */
  readonly name: string;
  /** Null where only the key was sent. */
  readonly isRestrictedSigningKey: boolean | null;
}

/** The keys of a guest's vTPM, parsed. */
export interface GuestKeys {
  /** The attestation key as the guest states it; null where it does not. */
  readonly akPublic: StatedKey | null;
  /** Null where none was sent. */
  readonly certifiedKey: OpenedCertifiedKey | null;
}

/** @throws {FormatError} `tpm_format` */
export function openGuestKeys(members: AzureGuestMembers, quotes: TpmQuoteVerifier): GuestKeys {
  const { certifiedKey } = members;
  return {
    akPublic: within(AK_PUBLIC, () => readStatedKey(members, quotes)),
    certifiedKey:
      certifiedKey === undefined ? null : quotes.openCertifiedKey(certifiedKey, certifiedKey.about ?? CERTIFIED_KEY),
  };
}

function readStatedKey(
  { akPublic, akPublicName, akSpki }: AzureGuestMembers,
  quotes: TpmQuoteVerifier,
): StatedKey | null {
  const name = akPublicName ?? 'the public area sent';
  if (akSpki !== undefined) return { name, key: readSpki(akSpki), isRestrictedSigningKey: null };
  return akPublic === undefined ? null : { name, ...quotes.readPublic(akPublic) };
}

function readSpki(spki: Uint8Array): QuoteKey {
  const key = nullIfMalformed(() => parsePublicKeyInfo(spki));
  if (key?.kind === 'ec' || key?.kind === 'rsa') return key;
  throw new FormatError('tpm_format', 'the SubjectPublicKeyInfo is not of an RSA key, or of one on P-256 or P-384');
}

/** The guest's keys that verify under the attestation key. */
export interface VerifiedGuestKeys {
  /** The expected values in the evidence: N in place of X where a certified key is the bound one. */
  readonly binding: ExpectedBinding | null;
  /** The claims of the quote, with the certified key. The quote has been verified, and its checks are recorded. */
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
 * The public area that the guest states is that of the attestation key, and of a restricted signing key of this TPM. The
 * attributes have no signature: they can contradict the behaviour of the TPM, but never prove it.
 */
export function verifyAkPublic(all: Checks, { akPublic }: GuestKeys, key: Verified<QuoteKey>): void {
  if (akPublic === null) return;
  const { name, isRestrictedSigningKey } = akPublic;
  const same = isKey(akPublic, key);
  const contradicts = isRestrictedSigningKey === false;
  all.at(AK_PUBLIC).require(same && !contradicts, 'hcl_ak_mismatch', {
    detail: `${name} is that of the attestation key`,
    otherwise: same
      ? `${name} is not that of a restricted signing key of a TPM`
      : `${name} is of another key than the attestation key`,
  });
}

function isKey({ key: stated }: StatedKey, key: QuoteKey): boolean {
  if (stated.kind === 'ec' || key.kind === 'ec') {
    return (
      stated.kind === 'ec' &&
      key.kind === 'ec' &&
      stated.curve === key.curve &&
      equalInConstantTime(stated.x, key.x) &&
      equalInConstantTime(stated.y, key.y)
    );
  }
  return equalInConstantTime(stated.modulus, key.modulus) && equalInConstantTime(stated.exponent, key.exponent);
}

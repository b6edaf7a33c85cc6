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
  /** The name in check details. */
  readonly name: string;
  /** Null if only the key was sent, without its attributes. */
  readonly isRestrictedSigningKey: boolean | null;
}

/** The keys of a guest's vTPM, parsed. */
export interface GuestKeys {
  /** The guest's copy of the attestation key; null if none was sent. */
  readonly akPublic: StatedKey | null;
  /** Null if none was sent. */
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
  /** The expected values in the evidence: N in place of X if the bound key is a certified key. */
  readonly binding: ExpectedBinding | null;
  /** Adds the certified key to the claims of the quote. Call it after the checks of the quote are recorded. */
  readonly withCertifiedKey: (tpm: Verified<TpmClaims> | null) => Verified<TpmClaims> | null;
}

/**
 * Verifies the certification of a key. Runs before the quote is verified, whose expected value depends on the result.
 */
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

/** Adds no claim if the PCR check failed: the use of the key is restricted to the quoted PCR values. */
function withCertifiedKey(
  checks: Checks,
  tpm: Verified<TpmClaims> | null,
  certifiedKey: Verified<CertifiedKeyClaims> | null,
): Verified<TpmClaims> | null {
  if (tpm === null || certifiedKey === null || !checks.holds('tpm_pcr_digest')) return tpm;
  return markVerified({ ...tpm, certifiedKey });
}

/**
 * Requires that the guest's copy is the attestation key, and that its attributes, if sent, are those of a restricted
 * signing key. The attributes are not signed, so wrong ones are a failure, and right ones prove nothing.
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

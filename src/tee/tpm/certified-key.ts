import { hex } from '../../core/bytes.js';
import type { Checks } from '../../core/check.js';
import type { CertifiedKeyClaims } from '../../core/claims.js';
import type { CheckId } from '../../core/codes.js';
import { within } from '../../core/errors.js';
import type { CertifiedKeyInput } from '../../core/evidence.js';
import type { ExpectedBinding } from '../../core/verification.js';
import type { Verified } from '../../core/verified.js';
import { equalInConstantTime } from '../../crypto/constant-time.js';
import { digest } from '../../crypto/digest.js';
import { keyThumbprint, rsaThumbprint } from '../../crypto/jwk-thumbprint.js';
import { encodeBase64Url } from '../../formats/base64.js';
import { weaknessOf } from '../../formats/rsa-strength.js';
import { checksAt } from '../catalogue.js';
import { heldHex } from '../shared/binding/held-value.js';
import { withNonce } from '../shared/binding/report-data-binding.js';
import { markVerified } from '../shared/evidence/mark-verified.js';
import type { CertifiedKey, OpenedCertifiedKey, QuotedState, QuoteKey } from '../shared/evidence/parts.js';
import { HASH_LENGTH, modulusLength, type StrongHash, verifyAttestSignature, word } from './attest-signature.js';
import {
  parseTpmsAttestHeader,
  parseTpmsCertify,
  TPM_GENERATED_VALUE,
  TPM_ST_ATTEST_CERTIFY,
  type TpmsCertify,
} from './format/tpms-attest.js';
import { parseTpm2bPublic, type TpmtPublic } from './format/tpmt-public.js';
import { parseTpmSignature } from './format/tpmt-signature.js';

/** Checks that must have an outcome for every certification, in the order in which they run. */
const CERTIFIED_KEY_CHECKS = [
  'tpm_weak_signature',
  'tpm_signature',
  'tpm_magic',
  'tpm_not_quote',
] as const satisfies readonly CheckId[];

/** TPM_CC_PolicyPCR (TPM 2.0 part 2, 6.5.2). */
const TPM_CC_POLICY_PCR = Uint8Array.of(0, 0, 0x01, 0x7f);

/** A parsed TPMS_ATTEST. Only magic and type are read if it does not certify a key. */
type Structure = ReturnType<typeof parseTpmsAttestHeader> & { readonly certify: TpmsCertify | null };

interface ReadCertification {
  readonly input: CertifiedKeyInput;
  readonly structure: Structure;
  readonly publicArea: TpmtPublic;
}

/**
 * Reads the certification of a key (TPM 2.0 part 3, TPM2_Certify).
 *
 * @param about JSON pointer of the certification
 * @throws {FormatError} `tpm_format`
 */
export function openCertifiedKey(input: CertifiedKeyInput, about: string): OpenedCertifiedKey {
  const read: ReadCertification = {
    input,
    structure: within(`${about}/info`, () => readStructure(input.info)),
    publicArea: within(`${about}/publicArea`, () => parseTpm2bPublic(input.publicArea)),
  };
  return { verify: (key, binding, quoted) => verify(checksAt(about), read, { key, binding, quoted }) };
}

function readStructure(info: Uint8Array): Structure {
  const header = parseTpmsAttestHeader(info);
  const isCertify = header.magic === TPM_GENERATED_VALUE && header.type === TPM_ST_ATTEST_CERTIFY;
  return { ...header, certify: isCertify ? parseTpmsCertify(info) : null };
}

interface Against {
  readonly key: Verified<QuoteKey>;
  readonly binding: ExpectedBinding | null;
  readonly quoted: QuotedState | null;
}

/** Runs the lettered steps of README.md in this folder from b on. `openCertifiedKey` runs step a. */
function verify(checks: Checks, read: ReadCertification, { key, binding, quoted }: Against): CertifiedKey {
  const { input, structure, publicArea } = read;

  // b. The attestation key signed it.
  const signature = within(`${checks.about}/signature`, () => parseTpmSignature(input.signature, modulusLength(key)));
  const signed = { message: input.info, signature, name: 'certification' } as const;
  const hash = verifyAttestSignature(checks.inside('/signature'), signed, key);

  // c and d. A TPM made it, and it certifies the key that was sent.
  const certify = hash === null ? null : verifyKind(checks.inside('/info'), structure);
  const named = certify === null ? null : verifyName(checks.inside('/publicArea'), certify, publicArea, quoted);
  if (certify === null || named === null) {
    checks.skipRest(withNonce(CERTIFIED_KEY_CHECKS, binding), 'the attestation key did not certify this key');
    return { checks: checks.all, bindable: null };
  }

  // e. The nonce, if it contains one.
  const isOfRequest = verifyExtraData(checks.inside('/info'), certify, binding);

  // f. The attributes and the policy of the key.
  const isBindable = isOfRequest && named.obstacle === null;
  return { checks: checks.all, bindable: isBindable ? markVerified(claimsOf(publicArea)) : null };
}

function verifyKind(checks: Checks, { magic, type, certify }: Structure): TpmsCertify | null {
  const own = checks.require(magic === TPM_GENERATED_VALUE, 'tpm_magic', {
    expected: word(TPM_GENERATED_VALUE),
    actual: word(magic),
  });
  if (!own) return null;
  checks.require(type === TPM_ST_ATTEST_CERTIFY, 'tpm_not_quote', {
    expected: word(TPM_ST_ATTEST_CERTIFY),
    actual: word(type),
    detail: 'the structure is the certification of a key',
    otherwise: 'the TPM signed the structure, but it is not the certification of a key',
  });
  return certify;
}

interface NamedKey {
  /** The reason not to bind the key; null if there is none. */
  readonly obstacle: string | null;
}

/**
 * Verifies the name in the certification: a hash algorithm, and the hash of the public area (TPM 2.0 part 1, 16).
 * Rejects weak and unknown hashes, because many keys could have the same name.
 *
 * @returns null if the name does not match
 */
function verifyName(
  checks: Checks,
  { name }: TpmsCertify,
  publicArea: TpmtPublic,
  quoted: QuotedState | null,
): NamedKey | null {
  const { nameAlgorithm, nameHash, area } = publicArea;
  const strong = nameHash === 'sha1' ? null : nameHash;
  const expected = strong === null ? null : tpmObjectName(nameAlgorithm, digest(strong, [area]));
  const obstacle = strong === null ? null : obstacleTo(publicArea, strong, quoted);
  const hint = obstacle === null ? '' : `; it is bound only where the quote holds X, because ${obstacle}`;
  const holds = checks.require(expected !== null && equalInConstantTime(name, expected), 'tpm_signature', {
    expected: hex(name),
    actual: expected === null ? `a name by algorithm ${word(nameAlgorithm)}` : hex(expected),
    detail: `the attestation key certified the key that was sent${hint}`,
    otherwise: 'the attestation key certified another key than the one that was sent',
  });
  return holds ? { obstacle } : null;
}

function tpmObjectName(algorithm: number, hash: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(algorithm >> 8, algorithm & 0xff), hash]);
}

/**
 * Rejects a certification with the nonce of another request. A certification without a nonce is accepted, because the
 * uses of the key do not depend on the time of its certification.
 */
function verifyExtraData(checks: Checks, { extraData }: TpmsCertify, binding: ExpectedBinding | null): boolean {
  if (binding === null || extraData.byteLength === 0) return true;
  const { nonce, value } = binding;
  const holds = equalInConstantTime(extraData, nonce) || equalInConstantTime(extraData, value);
  return checks.require(holds, 'nonce_mismatch', {
    expected: hex(value),
    actual: heldHex(extraData),
    detail: 'extraData of the certification is the expected value',
    otherwise: 'extraData of the certification is another value: the key was certified for another nonce or key',
  });
}

/**
 * The reason why encryption to the key would not reach only the quoted state of the machine; null if there is none. The
 * key must meet all of these:
 *
 * - The private key was made in this TPM and stays there.
 * - The key is strong, and can decrypt but not sign.
 * - Its use requires a policy, and the policy requires the quoted PCR values.
 *
 * Without that policy, software that the machine ran earlier or runs later could use the key too.
 */
function obstacleTo(
  { attributes, authPolicy, key }: TpmtPublic,
  nameHash: StrongHash,
  quoted: QuotedState | null,
): string | null {
  const { fixedTpm, fixedParent, sensitiveDataOrigin, userWithAuth, decrypt, sign } = attributes;
  if (!(fixedTpm && fixedParent && sensitiveDataOrigin)) return 'its private key may be outside of the vTPM';
  if (!decrypt || sign) return 'it is not a key for decryption alone';
  if (key.kind !== 'ec' && weaknessOf(key, null) !== null) return 'it is weak';
  if (userWithAuth) return 'it can be used without its policy';
  if (quoted === null || !saysWhatWasBooted(quoted)) return 'no quote that holds has PCR 0 to 7';
  if (equalInConstantTime(authPolicy, pcrPolicy(nameHash, quoted))) return null;
  return 'its policy is not TPM2_PolicyPCR over the quoted PCRs alone';
}

/** PCRs of the firmware. A policy on other PCRs only, such as resettable ones, can be met after any boot. */
const BOOT_PCRS = [0, 1, 2, 3, 4, 5, 6, 7];

function saysWhatWasBooted({ selectedPcrs }: QuotedState): boolean {
  return BOOT_PCRS.every((index) => selectedPcrs.includes(index));
}

/** Computes the digest of a policy of TPM2_PolicyPCR only (TPM 2.0 part 3, TPM2_PolicyPCR). */
function pcrPolicy(hash: StrongHash, { pcrSelect, values }: QuotedState): Uint8Array {
  return digest(hash, [new Uint8Array(HASH_LENGTH[hash]), TPM_CC_POLICY_PCR, pcrSelect, digest(hash, values)]);
}

function claimsOf({ key }: TpmtPublic): CertifiedKeyClaims {
  if (key.kind === 'ec') {
    const { curve, x, y } = key;
    return { jkt: keyThumbprint(key), jwk: { kty: 'EC', crv: curve, x: encodeBase64Url(x), y: encodeBase64Url(y) } };
  }
  return { jkt: rsaThumbprint(key), jwk: { kty: 'RSA', n: encodeBase64Url(key.n), e: encodeBase64Url(key.e) } };
}

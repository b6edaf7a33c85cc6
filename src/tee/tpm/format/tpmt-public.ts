import { joined } from '../../../core/bytes.js';
import { FormatError } from '../../../core/errors.js';
import type { PcrBank } from '../../../core/evidence.js';
import type { RsaPublicKey } from '../../../core/rsa-public-key.js';
import { ByteReader } from '../../../formats/byte-reader.js';
import type { EcKey } from '../../../formats/public-key.js';
import { TPM_HASHES } from './tpms-attest.js';

/** TPM_ALG_ID of keys, and of none (TCG Algorithm Registry). */
const TPM_ALG = { rsa: 0x0001, null: 0x0010, rsaes: 0x0015, ecdaa: 0x001a, ecc: 0x0023 } as const;

/** TPM_ALG_ID of schemes that name a hash: RSASSA, RSAPSS, OAEP; ECDSA, ECDH, SM2, EC Schnorr, ECMQV. */
const RSA_SCHEMES: ReadonlySet<number> = new Set([0x0014, 0x0016, 0x0017]);
const ECC_SCHEMES: ReadonlySet<number> = new Set([0x0018, 0x0019, 0x001b, 0x001c, 0x001d]);
/** MGF1, KDF1 of SP 800-56A, KDF2, KDF1 of SP 800-108. */
const KDF_SCHEMES: ReadonlySet<number> = new Set([0x0007, 0x0020, 0x0021, 0x0022]);

/** TPM_ECC_CURVE. */
const CURVES: ReadonlyMap<number, { readonly curve: EcKey['curve']; readonly octets: number }> = new Map([
  [0x0003, { curve: 'P-256', octets: 32 }],
  [0x0004, { curve: 'P-384', octets: 48 }],
]);

/** Bits of TPMA_OBJECT (TPM 2.0 part 2, 8.3). */
const ATTRIBUTES = {
  fixedTpm: 1,
  fixedParent: 4,
  sensitiveDataOrigin: 5,
  userWithAuth: 6,
  restricted: 16,
  decrypt: 17,
  sign: 18,
} as const;

/** The longest digest is SHA-512; the largest RSA key that is read has 8192 bits. */
const DIGEST_MAXIMUM = 64;
const MODULUS_MAXIMUM = 1024;
/** The exponent that the value 0 represents. */
const DEFAULT_EXPONENT = Uint8Array.of(1, 0, 1);

export type TpmRsaKey = RsaPublicKey & { readonly kind: 'rsa' };

/** Public area of a key in a TPM (TPM 2.0 part 2, 12.2.4). Not verified. */
export interface TpmtPublic {
  /** The TPMT_PUBLIC. The name of the key is its hash. */
  readonly area: Uint8Array;
  /** TPM_ALG_ID of the name's hash, and the hash; null where it is not known. */
  readonly nameAlgorithm: number;
  readonly nameHash: PcrBank | null;
  readonly attributes: { readonly [name in keyof typeof ATTRIBUTES]: boolean };
  /** Empty if no policy is set. */
  readonly authPolicy: Uint8Array;
  readonly key: TpmRsaKey | EcKey;
}

/**
 * Reads a TPM2B_PUBLIC of an RSA key, or of one on P-256 or P-384, to its last byte.
 *
 * @throws {FormatError} `tpm_format` if a size does not fit, bytes are left over, or the key is of another kind
 */
export function parseTpm2bPublic(bytes: Uint8Array): TpmtPublic {
  const reader = new ByteReader(bytes, 'tpm_format');
  const area = reader.sized(bytes.byteLength, 'publicArea');
  reader.expectEnd();
  return parseTpmtPublic(area);
}

/**
 * Returns a TPM2B_PUBLIC unchanged, and prefixes anything else, such as a TPMT_PUBLIC, with its size. Parses nothing.
 */
export function sizedPublic(bytes: Uint8Array): Uint8Array {
  const [high = 0, low = 0] = bytes;
  if (((high << 8) | low) === bytes.byteLength - 2) return bytes;
  return joined([Uint8Array.of(bytes.byteLength >> 8, bytes.byteLength), bytes]);
}

function parseTpmtPublic(area: Uint8Array): TpmtPublic {
  const reader = new ByteReader(area, 'tpm_format');
  const type = reader.u16be('type');
  const nameAlgorithm = reader.u16be('nameAlg');
  const attributes = parseAttributes(reader.u32be('objectAttributes'));
  const authPolicy = reader.sized(DIGEST_MAXIMUM, 'authPolicy');
  const key = parseKey(reader, type);
  reader.expectEnd();
  return { area, nameAlgorithm, nameHash: TPM_HASHES.get(nameAlgorithm) ?? null, attributes, authPolicy, key };
}

function parseAttributes(bits: number): TpmtPublic['attributes'] {
  const entries = Object.entries(ATTRIBUTES).map(([name, bit]) => [name, ((bits >>> bit) & 1) === 1]);
  return Object.fromEntries(entries) as TpmtPublic['attributes'];
}

function parseKey(reader: ByteReader, type: number): TpmtPublic['key'] {
  if (type === TPM_ALG.rsa) return parseRsa(reader);
  if (type === TPM_ALG.ecc) return parseEcc(reader);
  throw new FormatError('tpm_format', 'the key is neither RSA nor on an elliptic curve');
}

/** TPMS_RSA_PARMS, then the modulus (TPM 2.0 part 2, 12.2.3.5 and 11.2.4.5). */
function parseRsa(reader: ByteReader): TpmRsaKey {
  skipSymmetric(reader);
  const scheme = reader.u16be('scheme');
  if (RSA_SCHEMES.has(scheme)) reader.u16be('hash of the scheme');
  else if (scheme !== TPM_ALG.null && scheme !== TPM_ALG.rsaes) throw unknown('scheme');
  const bits = reader.u16be('keyBits');
  const e = parseExponent(reader.bytes(4, 'exponent'));
  const n = reader.sized(MODULUS_MAXIMUM, 'modulus');
  if (n.byteLength * 8 !== bits || ((n[0] ?? 0) & 0x80) === 0) {
    throw new FormatError('tpm_format', 'the modulus does not have the length that keyBits says');
  }
  return { kind: 'rsa', n, e };
}

function parseExponent(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex((byte) => byte !== 0);
  return first < 0 ? DEFAULT_EXPONENT : bytes.subarray(first);
}

/** TPMS_ECC_PARMS, then the point (TPM 2.0 part 2, 12.2.3.6 and 11.2.5.2). */
function parseEcc(reader: ByteReader): EcKey {
  skipSymmetric(reader);
  skipEccScheme(reader);
  const named = CURVES.get(reader.u16be('curveID'));
  if (named === undefined) throw new FormatError('tpm_format', 'the curve is not P-256 or P-384');
  const kdf = reader.u16be('kdf');
  if (KDF_SCHEMES.has(kdf)) reader.u16be('hash of the kdf');
  else if (kdf !== TPM_ALG.null) throw unknown('kdf');
  const { curve, octets } = named;
  return { kind: 'ec', curve, x: parseCoordinate(reader, octets, 'x'), y: parseCoordinate(reader, octets, 'y') };
}

function skipEccScheme(reader: ByteReader): void {
  const scheme = reader.u16be('scheme');
  if (scheme === TPM_ALG.null) return;
  if (!ECC_SCHEMES.has(scheme) && scheme !== TPM_ALG.ecdaa) throw unknown('scheme');
  reader.u16be('hash of the scheme');
  if (scheme === TPM_ALG.ecdaa) reader.u16be('count of the scheme');
}

/** Skips a TPMT_SYM_DEF_OBJECT, the algorithm with which a storage key encrypts its children. */
function skipSymmetric(reader: ByteReader): void {
  if (reader.u16be('symmetric') === TPM_ALG.null) return;
  reader.u16be('keyBits of symmetric');
  reader.u16be('mode of symmetric');
}

/** Reads a coordinate. A TPM may omit leading zeros. */
function parseCoordinate(reader: ByteReader, octets: number, name: string): Uint8Array {
  const bytes = reader.sized(octets, name);
  const coordinate = new Uint8Array(octets);
  coordinate.set(bytes, octets - bytes.byteLength);
  return coordinate;
}

function unknown(field: string): FormatError {
  return new FormatError('tpm_format', `the ${field} of the key is not known`);
}

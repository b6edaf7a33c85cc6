import { createHash } from 'node:crypto';
import type { JsonObject } from '../../src/core/json.js';
import { bigEndian, joinBytes } from './byte-patch.js';
import { type PcrSelectionFields, pcrSelection, sized, TPM_HASH, type TpmHashName } from './tpm-quote-builder.js';

/** Bits of TPMA_OBJECT (TPM 2.0 part 2, 8.3). */
export const TPM_ATTRIBUTE = {
  fixedTpm: 1 << 1,
  fixedParent: 1 << 4,
  sensitiveDataOrigin: 1 << 5,
  userWithAuth: 1 << 6,
  noDa: 1 << 10,
  restricted: 1 << 16,
  decrypt: 1 << 17,
  sign: 1 << 18,
} as const;
export type TpmAttribute = keyof typeof TPM_ATTRIBUTE;

/** Of a key that Azure's guest attestation client makes to have its token encrypted to. */
export const EPHEMERAL_ATTRIBUTES: readonly TpmAttribute[] = [
  'fixedTpm',
  'fixedParent',
  'sensitiveDataOrigin',
  'noDa',
  'decrypt',
];
/** Of an attestation key as the paravisor makes it. */
export const AK_ATTRIBUTES: readonly TpmAttribute[] = [
  'fixedTpm',
  'fixedParent',
  'sensitiveDataOrigin',
  'userWithAuth',
  'noDa',
  'restricted',
  'sign',
];

const ALG = { rsa: 0x0001, null: 0x0010, ecc: 0x0023 } as const;
const CURVE_ID: ReadonlyMap<string, number> = new Map([
  ['P-256', 3],
  ['P-384', 4],
]);

/** Fields of a TPMT_PUBLIC. Nothing is checked. */
export interface TpmKeyFields {
  /** Public JWK, RSA or EC. */
  readonly jwk: JsonObject;
  readonly type?: number;
  readonly nameAlg?: TpmHashName | number;
  readonly attributes?: readonly TpmAttribute[];
  readonly authPolicy?: Uint8Array;
  /** As they stand: TPMT_SYM_DEF_OBJECT, and the scheme. None if left out. */
  readonly symmetric?: Uint8Array;
  readonly scheme?: Uint8Array;
  /** Of an RSA key; as its modulus if left out. */
  readonly keyBits?: number;
  /** 0, which stands for 65537, if left out. */
  readonly exponent?: number;
  /** Of a key on a curve. */
  readonly curveId?: number;
  readonly kdf?: Uint8Array;
  /** Bytes after the structure, inside of its size. */
  readonly trailing?: Uint8Array;
}

/** Writes a TPMT_PUBLIC (TPM 2.0 part 2, 12.2.4). */
export function buildTpmtPublic(fields: TpmKeyFields): Uint8Array {
  const { jwk, attributes = EPHEMERAL_ATTRIBUTES, nameAlg = 'sha256', trailing = new Uint8Array() } = fields;
  const isRsa = jwk['kty'] === 'RSA';
  return joinBytes(
    bigEndian(fields.type ?? (isRsa ? ALG.rsa : ALG.ecc), 2),
    bigEndian(typeof nameAlg === 'number' ? nameAlg : TPM_HASH[nameAlg], 2),
    bigEndian(
      attributes.reduce((bits, name) => bits + TPM_ATTRIBUTE[name], 0),
      4,
    ),
    sized(fields.authPolicy ?? new Uint8Array()),
    fields.symmetric ?? bigEndian(ALG.null, 2),
    fields.scheme ?? bigEndian(ALG.null, 2),
    isRsa ? rsaPart(fields) : eccPart(fields),
    trailing,
  );
}

/** The same as a TPM2B_PUBLIC. */
export function buildTpm2bPublic(fields: TpmKeyFields): Uint8Array {
  return sized(buildTpmtPublic(fields));
}

function rsaPart({ jwk, keyBits, exponent = 0 }: TpmKeyFields): Uint8Array {
  const n = decoded(jwk, 'n');
  return joinBytes(bigEndian(keyBits ?? n.byteLength * 8, 2), bigEndian(exponent, 4), sized(n));
}

function eccPart({ jwk, curveId, kdf = bigEndian(ALG.null, 2) }: TpmKeyFields): Uint8Array {
  const id = curveId ?? CURVE_ID.get(String(jwk['crv'])) ?? 0;
  return joinBytes(bigEndian(id, 2), kdf, sized(decoded(jwk, 'x')), sized(decoded(jwk, 'y')));
}

function decoded(jwk: JsonObject, member: string): Uint8Array {
  return Uint8Array.from(Buffer.from(String(jwk[member]), 'base64url'));
}

/** Name of a key: algorithm and hash of its TPMT_PUBLIC (TPM 2.0 part 1, 16). */
export function tpmName(area: Uint8Array, hash: TpmHashName = 'sha256'): Uint8Array {
  return joinBytes(bigEndian(TPM_HASH[hash], 2), createHash(hash).update(area).digest());
}

/** authPolicy of TPM2_PolicyPCR alone (TPM 2.0 part 3). */
export function pcrPolicyDigest(
  selections: readonly PcrSelectionFields[],
  values: readonly Uint8Array[],
  hash: TpmHashName = 'sha256',
): Uint8Array {
  const ofValues = createHash(hash).update(Buffer.concat(values)).digest();
  const policy = createHash(hash)
    .update(new Uint8Array(ofValues.byteLength))
    .update(Buffer.from('0000017f', 'hex'))
    .update(bigEndian(selections.length, 4));
  for (const selection of selections) policy.update(pcrSelection(selection));
  return Uint8Array.from(policy.update(ofValues).digest());
}

/** Fields of a TPMS_ATTEST that certifies a key. Nothing is checked. */
export interface TpmsCertifyFields {
  readonly magic?: number;
  readonly type?: number;
  readonly extraData?: Uint8Array;
  readonly safe?: number;
  readonly name: Uint8Array;
  readonly qualifiedName?: Uint8Array;
  /** Bytes after the structure. */
  readonly trailing?: Uint8Array;
}

/** Writes a TPMS_ATTEST of type certify (TPM 2.0 part 2, 10.12.3), with the values of a vTPM on Azure. */
export function buildTpmsCertify(fields: TpmsCertifyFields): Uint8Array {
  return joinBytes(
    bigEndian(fields.magic ?? 0xff544347, 4),
    bigEndian(fields.type ?? 0x8017, 2),
    sized(joinBytes(bigEndian(TPM_HASH.sha256, 2), new Uint8Array(32).fill(0x0a))),
    sized(fields.extraData ?? new Uint8Array()),
    bigEndian(1_234_567n, 8),
    bigEndian(7, 4),
    bigEndian(0, 4),
    bigEndian(fields.safe ?? 1, 1),
    bigEndian(0x1122334455667788n, 8),
    sized(fields.name),
    sized(fields.qualifiedName ?? joinBytes(bigEndian(TPM_HASH.sha256, 2), new Uint8Array(32).fill(0x0b))),
    fields.trailing ?? new Uint8Array(),
  );
}

import { bigEndian, joinBytes } from './byte-patch.js';

/** TPM_ALG_ID of the hashes (TPM 2.0 part 2, 6.3). */
export const TPM_HASH = { sha1: 0x0004, sha256: 0x000b, sha384: 0x000c, sha512: 0x000d } as const;
export type TpmHashName = keyof typeof TPM_HASH;

/** TPM_ALG_ID of the signature schemes. */
export const TPM_SCHEME = { rsassa: 0x0014, rsapss: 0x0016, ecdsa: 0x0018 } as const;

/** One TPMS_PCR_SELECTION. */
export interface PcrSelectionFields {
  /** Bank by name, or a TPM_ALG_ID as it stands. */
  readonly bank: TpmHashName | number;
  readonly indices: readonly number[];
  /** Bytes of the map; 3 if left out. */
  readonly sizeOfSelect?: number;
}

/** Fields of a TPMS_ATTEST for a quote. Nothing is checked. */
export interface TpmsQuoteFields {
  readonly magic?: number;
  readonly type?: number;
  readonly qualifiedSigner?: Uint8Array;
  readonly extraData: Uint8Array;
  readonly clock?: bigint;
  readonly resetCount?: number;
  readonly restartCount?: number;
  readonly safe?: number;
  readonly firmwareVersion?: bigint;
  readonly selections: readonly PcrSelectionFields[];
  readonly pcrDigest: Uint8Array;
  /** Bytes after the structure. */
  readonly trailing?: Uint8Array;
}

/** Writes a TPMS_ATTEST of type quote (TPM 2.0 part 2, 10.12.8), with the values of a vTPM on Azure. */
export function buildTpmsQuote(fields: TpmsQuoteFields): Uint8Array {
  return joinBytes(
    bigEndian(fields.magic ?? 0xff544347, 4),
    bigEndian(fields.type ?? 0x8018, 2),
    sized(fields.qualifiedSigner ?? joinBytes(bigEndian(TPM_HASH.sha256, 2), new Uint8Array(32).fill(0x0a))),
    sized(fields.extraData),
    bigEndian(fields.clock ?? 1_234_567n, 8),
    bigEndian(fields.resetCount ?? 7, 4),
    bigEndian(fields.restartCount ?? 0, 4),
    bigEndian(fields.safe ?? 1, 1),
    bigEndian(fields.firmwareVersion ?? 0x1122334455667788n, 8),
    bigEndian(fields.selections.length, 4),
    ...fields.selections.map(pcrSelection),
    sized(fields.pcrDigest),
    fields.trailing ?? new Uint8Array(),
  );
}

/** Writes a TPMT_SIGNATURE of an RSA scheme (TPM 2.0 part 2, 11.3.4). Scheme and hash may be any number. */
export function buildTpmtSignature(
  scheme: keyof typeof TPM_SCHEME | number,
  hash: TpmHashName | number,
  signature: Uint8Array,
): Uint8Array {
  return joinBytes(
    bigEndian(typeof scheme === 'number' ? scheme : TPM_SCHEME[scheme], 2),
    bigEndian(algorithmId(hash), 2),
    sized(signature),
  );
}

/** Writes a TPMT_SIGNATURE of ECDSA (TPM 2.0 part 2, 11.3.4). */
export function buildEcdsaSignature(hash: TpmHashName | number, r: Uint8Array, s: Uint8Array): Uint8Array {
  return joinBytes(bigEndian(TPM_SCHEME.ecdsa, 2), bigEndian(algorithmId(hash), 2), sized(r), sized(s));
}

/** A TPM2B: the size in two bytes, then the bytes. */
export function sized(bytes: Uint8Array): Uint8Array {
  return joinBytes(bigEndian(bytes.byteLength, 2), bytes);
}

/** A TPMS_PCR_SELECTION: bit i of byte j selects PCR 8j+i. */
export function pcrSelection({ bank, indices, sizeOfSelect = 3 }: PcrSelectionFields): Uint8Array {
  const map = new Uint8Array(sizeOfSelect);
  for (const index of indices) map[index >> 3] = (map[index >> 3] ?? 0) | (1 << (index & 7));
  return joinBytes(bigEndian(algorithmId(bank), 2), bigEndian(sizeOfSelect, 1), map);
}

function algorithmId(name: TpmHashName | number): number {
  return typeof name === 'number' ? name : TPM_HASH[name];
}

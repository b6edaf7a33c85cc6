import { constants, createHash, generateKeyPair, type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';
import type { CertifiedKeyInput, PcrBank, TpmQuoteInput } from '../../src/core/evidence.js';
import type { JsonObject } from '../../src/core/json.js';
import {
  AK_ATTRIBUTES,
  buildTpm2bPublic,
  buildTpmsCertify,
  buildTpmtPublic,
  pcrPolicyDigest,
  type TpmKeyFields,
  type TpmsCertifyFields,
  tpmName,
} from './tpm-key-builder.js';
import {
  buildEcdsaSignature,
  buildTpmsQuote,
  buildTpmtSignature,
  type PcrSelectionFields,
  sized,
  type TpmHashName,
  type TpmsQuoteFields,
} from './tpm-quote-builder.js';

const PCR_COUNT = 24;
const BANK_LENGTH: { readonly [bank in PcrBank]: number } = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 };
/** PCRs that firmware and loader of an Azure VM extend; 17 to 22 are all ones, the others zero. */
const MEASURED = new Set([0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 12, 14]);

/** How a quote is signed. */
export interface QuoteSigning {
  readonly scheme?: 'rsassa' | 'rsapss';
  readonly hash?: TpmHashName;
  /** `bare`: the RSA signature alone, as Azure's tools send it. */
  readonly form?: 'bare' | 'tpmt';
  /** For RSAPSS: as long as the hash if left out. */
  readonly saltLength?: number;
  /** Another key than the attestation key of the TPM. */
  readonly key?: KeyObject;
}

/** The content of a quote, and its signature. Every field of the structure can be wrong. */
export interface QuoteOptions extends Partial<TpmsQuoteFields> {
  readonly signing?: QuoteSigning;
  /** Changes the structure before it is signed. */
  readonly beforeSigning?: (message: Uint8Array) => Uint8Array;
  /** Hash of the PCR digest; that of the signature if left out. */
  readonly pcrHash?: TpmHashName;
}

/** A key in the TPM, and what its certification is to say. */
export interface CertifyOptions extends Partial<TpmKeyFields> {
  /** Fields of the certification; its name is that of the key if left out. */
  readonly info?: Partial<TpmsCertifyFields>;
  readonly signing?: QuoteSigning;
  /** The PCRs in the policy of the key; by default the whole SHA-256 bank. */
  readonly selections?: readonly PcrSelectionFields[];
}

/** All of the SHA-256 bank, as Azure's guests quote it. */
export const WHOLE_SHA256_BANK: readonly PcrSelectionFields[] = [
  { bank: 'sha256', indices: Array.from({ length: PCR_COUNT }, (_, index) => index) },
];

/** Kind of an attestation key: RSA of 2048 bits by default. */
export interface VirtualTpmOptions {
  readonly modulusLength?: number;
  readonly publicExponent?: number;
  /** An ECDSA key in place of an RSA key. */
  readonly curve?: 'P-256' | 'P-384' | 'P-521';
}

/** A TPM in software: an attestation key, RSA unless said otherwise, PCRs in four banks, and quotes over them. */
export class VirtualTpm {
  readonly #key: KeyObject;
  /** Members of the public JWK: kty, n, e; of an ECDSA key kty, crv, x, y. */
  readonly publicJwk: JsonObject;
  readonly #pcrs = new Map<string, Uint8Array>();

  private constructor(key: KeyObject, publicJwk: JsonObject) {
    this.#key = key;
    this.publicJwk = publicJwk;
    for (const bank of Object.keys(BANK_LENGTH) as PcrBank[]) {
      for (let index = 0; index < PCR_COUNT; index++) this.#pcrs.set(`${bank}:${index}`, initialValue(bank, index));
    }
  }

  /** @param options.modulusLength bits of the attestation key */
  static async create({ curve, ...options }: VirtualTpmOptions = {}): Promise<VirtualTpm> {
    const generate = promisify(generateKeyPair);
    const { publicKey, privateKey } =
      curve === undefined
        ? await generate('rsa', { modulusLength: 2048, ...options })
        : await promisify(generateKeyPair)('ec', { namedCurve: curve });
    return new VirtualTpm(privateKey, { ...publicKey.export({ format: 'jwk' }) } as JsonObject);
  }

  get privateKey(): KeyObject {
    return this.#key;
  }

  pcr(bank: PcrBank, index: number): Uint8Array {
    const value = this.#pcrs.get(`${bank}:${index}`);
    if (value === undefined) throw new RangeError(`no PCR ${index}`);
    return value;
  }

  /** Sets a PCR to a value, which no TPM offers: extending would have to know what came before. */
  setPcr(bank: PcrBank, index: number, value: Uint8Array): void {
    this.pcr(bank, index);
    this.#pcrs.set(`${bank}:${index}`, value);
  }

  /** A quote with the PCR values that it selects, signed. */
  quote(options: QuoteOptions = {}): TpmQuoteInput {
    const { signing = {}, beforeSigning, pcrHash, ...fields } = options;
    const selections = fields.selections ?? WHOLE_SHA256_BANK;
    const built = buildTpmsQuote({
      extraData: new Uint8Array(),
      pcrDigest: this.pcrDigest(selections, pcrHash ?? signing.hash ?? 'sha256'),
      ...fields,
      selections,
    });
    const message = beforeSigning?.(built) ?? built;
    return { message, signature: this.sign(message, signing), pcrs: this.selected(selections) };
  }

  /** Public area of the attestation key, TPM2B_PUBLIC. */
  akPublic(fields: Partial<TpmKeyFields> = {}): Uint8Array {
    return buildTpm2bPublic({ jwk: this.publicJwk, attributes: AK_ATTRIBUTES, ...fields });
  }

  /** A key as Azure's client makes it, certified by the attestation key. */
  certify(jwk: JsonObject, options: CertifyOptions = {}): CertifiedKeyInput {
    const { info: changed, signing, selections = WHOLE_SHA256_BANK, ...fields } = options;
    const hash = typeof fields.nameAlg === 'string' ? fields.nameAlg : 'sha256';
    const authPolicy = this.pcrPolicy(selections, hash);
    const area = buildTpmtPublic({ jwk, authPolicy, ...fields });
    const info = buildTpmsCertify({ name: tpmName(area, hash), ...changed });
    return { info, signature: this.sign(info, signing), publicArea: sized(area) };
  }

  /** The policy of a key that is used only under the values of these PCRs. */
  pcrPolicy(selections: readonly PcrSelectionFields[], hash: TpmHashName = 'sha256'): Uint8Array {
    const values = [...this.selected(selections).values()].flatMap((bank) =>
      [...bank].sort(([a], [b]) => a - b).map(([, value]) => value),
    );
    return pcrPolicyDigest(selections, values, hash);
  }

  /** Hash over the selected values: selections as listed, in each by ascending index. */
  pcrDigest(selections: readonly PcrSelectionFields[], hash: TpmHashName): Uint8Array {
    const digest = createHash(hash);
    for (const { bank, indices } of selections) {
      if (typeof bank === 'number') continue;
      for (const index of indices.toSorted((a, b) => a - b)) digest.update(this.pcr(bank, index));
    }
    return Uint8Array.from(digest.digest());
  }

  /** The values that selections name, by bank and index. */
  selected(selections: readonly PcrSelectionFields[]): TpmQuoteInput['pcrs'] {
    const banks = new Map<PcrBank, Map<number, Uint8Array>>();
    for (const { bank, indices } of selections) {
      if (typeof bank === 'number') continue;
      const values = banks.get(bank) ?? new Map<number, Uint8Array>();
      for (const index of indices) values.set(index, this.pcr(bank, index));
      banks.set(bank, values);
    }
    return banks;
  }

  /** Signs any bytes with the attestation key, which a TPM would refuse for a restricted key. */
  sign(message: Uint8Array, signing: QuoteSigning = {}): Uint8Array {
    const { scheme = 'rsassa', hash = 'sha256', form = 'bare', key = this.#key } = signing;
    if (key.asymmetricKeyType === 'ec') return signEcdsa(message, hash, key);
    const signature =
      scheme === 'rsassa'
        ? sign(hash, message, key)
        : sign(hash, message, {
            key,
            padding: constants.RSA_PKCS1_PSS_PADDING,
            saltLength: signing.saltLength ?? constants.RSA_PSS_SALTLEN_DIGEST,
          });
    return form === 'bare' ? Uint8Array.from(signature) : buildTpmtSignature(scheme, hash, signature);
  }
}

/** A TPMT_SIGNATURE of ECDSA, r and s each as long as the field. */
function signEcdsa(message: Uint8Array, hash: TpmHashName, key: KeyObject): Uint8Array {
  const raw = sign(hash, message, { key, dsaEncoding: 'ieee-p1363' });
  return buildEcdsaSignature(hash, raw.subarray(0, raw.byteLength / 2), raw.subarray(raw.byteLength / 2));
}

function initialValue(bank: PcrBank, index: number): Uint8Array {
  const length = BANK_LENGTH[bank];
  if (index >= 17 && index <= 22) return new Uint8Array(length).fill(0xff);
  if (!MEASURED.has(index)) return new Uint8Array(length);
  return Uint8Array.from(createHash(bank).update(`measured into pcr ${index}`).digest());
}

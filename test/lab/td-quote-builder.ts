import { createHash, type KeyObject, sign } from 'node:crypto';
import { joinBytes, littleEndian } from './byte-patch.js';
import type { LabKey } from './lab-keys.js';
import { buildQeReport, type QeReportFields, tdQeFields } from './qe-report-builder.js';
import { buildTdBody, linuxTdFields, type TdBodyFields, type TdBodyKind } from './td-body-builder.js';

/** Makes other bytes of the genuine ones. */
export type BytesChange = (genuine: Uint8Array) => Uint8Array;

/** The first 48 bytes of a quote. */
export interface QuoteHeaderFields {
  readonly version: number;
  /** 2: ECDSA P-256. */
  readonly attestationKeyType: number;
  /** 0 SGX, 0x81 TDX. */
  readonly teeType: number;
  /** 4 bytes. */
  readonly reserved: Uint8Array;
  readonly qeVendorId: Uint8Array;
  /** 20 bytes. */
  readonly userData: Uint8Array;
}

/** The header of a certification data, and its content. Defaults are right. */
export interface CertificationMaking {
  readonly type?: number;
  readonly length?: number;
  readonly data?: BytesChange;
}

/** How one quote is made. What is left out is genuine; each stage can be changed before and after it is signed. */
export interface TdQuoteMaking {
  readonly version?: 4 | 5;
  /** Left out: TD 1.0 in version 4, TD 1.5 in version 5. */
  readonly body?: TdBodyKind;
  readonly header?: Partial<QuoteHeaderFields>;
  readonly fields?: Partial<TdBodyFields>;
  /** The content of the descriptor of version 5. */
  readonly descriptor?: { readonly type?: number; readonly size?: number };
  /** Header, descriptor and body: before the attestation key signs, and after. */
  readonly beforeSigning?: BytesChange;
  readonly signedPart?: BytesChange;
  /** Signs, and stands in the quote. */
  readonly attestationKey?: LabKey;
  /** Signs alone. */
  readonly quoteSigner?: KeyObject;
  readonly signature?: BytesChange;
  /** X and Y as they stand in the quote; the QE vouches for the genuine ones. */
  readonly attestationKeyBytes?: BytesChange;
  readonly qeReport?: Partial<QeReportFields>;
  /** The QE report: before the PCK signs, and after. */
  readonly qeReportBytes?: BytesChange;
  readonly signedQeReport?: BytesChange;
  readonly pckKey?: KeyObject;
  readonly qeReportSignature?: BytesChange;
  /** The bytes that the QE vouches for. */
  readonly qeAuthData?: Uint8Array;
  /** The bytes in the quote instead. */
  readonly qeAuthDataInQuote?: Uint8Array;
  readonly qeAuthDataLength?: number;
  /** PEM in place of the platform's. */
  readonly pckChain?: string;
  /** Certification data of type 5, within that of type 6. */
  readonly inner?: CertificationMaking;
  readonly outer?: CertificationMaking;
  /** All of the authentication data. */
  readonly authData?: BytesChange;
  readonly authDataLength?: number;
  /** After the end; nothing if left out. */
  readonly trailing?: Uint8Array;
  /** The whole quote. */
  readonly afterSigning?: BytesChange;
}

/** The parts that make a quote genuine: keys, and the chain of the key that certifies the quoting enclave. */
export interface TdQuoteMaterial {
  readonly attestationKey: LabKey;
  readonly pckKey: KeyObject;
  /** PEM: leaf, intermediate, root. */
  readonly pckChain: string;
}

/** Id of Intel's quoting enclave, hex. */
export const QE_VENDOR_ID = '939a7233f79c4ca9940a0db3957f0607';

const BODY_TYPE: { readonly [kind in TdBodyKind]: number } = { td10: 2, td15: 3, td15Extended: 4 };
const QE_AUTH_DATA = Uint8Array.from({ length: 32 }, (_, index) => index);

/** Writes and signs a TD quote of version 4 or 5. */
export function buildTdQuote(material: TdQuoteMaterial, making: TdQuoteMaking = {}): Uint8Array {
  const { attestationKey = material.attestationKey, quoteSigner = attestationKey.privateKey } = making;
  const built = buildSignedPart(making);
  const covered = making.beforeSigning?.(built) ?? built;
  const signature = signRaw(quoteSigner, covered);
  const key = rawPublicKey(attestationKey);
  const authData = joinBytes(
    making.signature?.(signature) ?? signature,
    making.attestationKeyBytes?.(key) ?? key,
    buildOuterCertification(material, key, making),
  );
  const sentAuthData = making.authData?.(authData) ?? authData;
  const quote = joinBytes(
    making.signedPart?.(covered) ?? covered,
    littleEndian(making.authDataLength ?? sentAuthData.byteLength, 4),
    sentAuthData,
    making.trailing ?? new Uint8Array(),
  );
  return making.afterSigning?.(quote) ?? quote;
}

export function buildQuoteHeader(fields: QuoteHeaderFields): Uint8Array {
  return joinBytes(
    littleEndian(fields.version, 2),
    littleEndian(fields.attestationKeyType, 2),
    littleEndian(fields.teeType, 4),
    fields.reserved,
    fields.qeVendorId,
    fields.userData,
  );
}

/** r‖s over the SHA-256, as everything in a quote and in collateral is signed. */
export function signRaw(key: KeyObject, data: Uint8Array): Uint8Array {
  return Uint8Array.from(sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' }));
}

/** X‖Y of a key on P-256: what its SubjectPublicKeyInfo ends with. */
export function rawPublicKey({ spki }: LabKey): Uint8Array {
  return spki.slice(-64);
}

function buildSignedPart(making: TdQuoteMaking): Uint8Array {
  const { version = 4, body: kind = version === 4 ? 'td10' : 'td15', descriptor = {} } = making;
  const header = buildQuoteHeader({
    version,
    attestationKeyType: 2,
    teeType: 0x81,
    reserved: new Uint8Array(4),
    qeVendorId: Buffer.from(QE_VENDOR_ID, 'hex'),
    userData: Uint8Array.of(...new Uint8Array(16).fill(0x1d), 0, 0, 0, 0),
    ...making.header,
  });
  const body = buildTdBody({ ...linuxTdFields(), ...making.fields }, kind);
  if (version === 4) return joinBytes(header, body);
  const { type = BODY_TYPE[kind], size = body.byteLength } = descriptor;
  return joinBytes(header, littleEndian(type, 2), littleEndian(size, 4), body);
}

function buildOuterCertification(material: TdQuoteMaterial, key: Uint8Array, making: TdQuoteMaking): Uint8Array {
  const { qeAuthData = QE_AUTH_DATA, pckKey = material.pckKey, pckChain = material.pckChain } = making;
  const vouched = createHash('sha256').update(key).update(qeAuthData).digest();
  const reportData = joinBytes(vouched, new Uint8Array(32));
  const built = buildQeReport({ ...tdQeFields(), reportData, ...making.qeReport });
  const report = making.qeReportBytes?.(built) ?? built;
  const signature = signRaw(pckKey, report);
  const sentAuthData = making.qeAuthDataInQuote ?? qeAuthData;
  const data = joinBytes(
    making.signedQeReport?.(report) ?? report,
    making.qeReportSignature?.(signature) ?? signature,
    littleEndian(making.qeAuthDataLength ?? sentAuthData.byteLength, 2),
    sentAuthData,
    certification(5, Uint8Array.from(Buffer.from(pckChain, 'latin1')), making.inner),
  );
  return certification(6, data, making.outer);
}

function certification(genuineType: number, genuine: Uint8Array, making: CertificationMaking = {}): Uint8Array {
  const data = making.data?.(genuine) ?? genuine;
  return joinBytes(
    littleEndian(making.type ?? genuineType, 2),
    littleEndian(making.length ?? data.byteLength, 4),
    data,
  );
}

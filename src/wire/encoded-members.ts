import { FormatError, within } from '../core/errors.js';
import type {
  AkCertificateInput,
  CertificateInput,
  EventLogInput,
  SnpEndorsementInput,
  TdxCollateral,
} from '../core/evidence.js';
import { hexLook } from '../core/hex-like.js';
import { decodeBase64, decodeHex } from '../formats/base64.js';
import { PEM_IN_BASE64 } from '../formats/pem.js';
import { structureOf } from '../tee/format/structure-kind.js';
import type { Schemas } from './schema-check.js';

const PEM_START = '-----BEGIN';

/** @throws {FormatError} `encoding` at the pointer */
export function readBytes(text: string, pointer: string): Uint8Array {
  return within(pointer, () => decodeBase64(text));
}

/**
 * Reads bytes of a structure whose base64 never looks like hex.
 * @throws {FormatError} `encoding` at the pointer
 */
export function readStructure(text: string, pointer: string): Uint8Array {
  const look = hexLook(text);
  if (look !== null) throw new FormatError('encoding', `this is ${look}: expected base64url or base64`, { pointer });
  return readBytes(text, pointer);
}

/** @throws {FormatError} `encoding` at the pointer */
export function readHex(text: string, pointer: string): Uint8Array {
  return within(pointer, () => decodeHex(text));
}

/** Reads PEM if the text starts like PEM, else DER. @throws {FormatError} `encoding` at the pointer */
export function readCertificate(text: string, pointer: string): CertificateInput {
  return text.startsWith(PEM_START) ? { pem: text } : { der: readDer(text, 'PEM as it is, or DER', pointer) };
}

/** A CRL. @throws {FormatError} `encoding` at the pointer */
export function readCrl(text: string, pointer: string): Uint8Array {
  return readDer(text, 'DER', pointer);
}

function readDer(text: string, expected: string, pointer: string): Uint8Array {
  const der = readStructure(text, pointer);
  if (!Buffer.from(der.subarray(0, PEM_START.length)).equals(Buffer.from(PEM_START))) return der;
  const message = `${PEM_IN_BASE64}: expected ${expected} in base64url or base64`;
  throw new FormatError('encoding', message, { pointer });
}

/** @throws {FormatError} `encoding` at the member */
export function readOptionalBytes(text: string | undefined, pointer: string): Uint8Array | null {
  return text === undefined ? null : readBytes(text, pointer);
}

/** The firmware's log, or a list of it and the system's. @throws {FormatError} `encoding` at the member or its item */
export function readEventLog(log: Schemas['EventLog'] | undefined, pointer: string): EventLogInput | null {
  if (log === undefined) return null;
  if (typeof log === 'string') return [readStructure(log, pointer)];
  const [firmware = '', canonical] = log;
  const first = readStructure(firmware, `${pointer}/0`);
  return canonical === undefined ? [first] : [first, readStructure(canonical, `${pointer}/1`)];
}

/** Reads collateral. The parsers check the content of the texts and the lengths of signatures. */
export function readCollateral(
  collateral: Schemas['TdxCollateral'] | undefined,
  pointer: string,
): TdxCollateral | null {
  if (collateral === undefined) return null;
  const hexOf = (name: 'tcb_info_signature' | 'qe_identity_signature' | 'pck_crl' | 'root_ca_crl') =>
    readHex(collateral[name], `${pointer}/${name}`);
  const pckCertificateChain = collateral.pck_certificate_chain ?? undefined;
  return {
    tcbInfo: collateral.tcb_info,
    qeIdentity: collateral.qe_identity,
    tcbInfoSignature: hexOf('tcb_info_signature'),
    qeIdentitySignature: hexOf('qe_identity_signature'),
    tcbInfoIssuerChain: collateral.tcb_info_issuer_chain,
    qeIdentityIssuerChain: collateral.qe_identity_issuer_chain,
    pckCrlIssuerChain: collateral.pck_crl_issuer_chain,
    pckCrl: hexOf('pck_crl'),
    rootCaCrl: hexOf('root_ca_crl'),
    ...(pckCertificateChain === undefined ? {} : { pckCertificateChain }),
  };
}

/** Reads certificate and chain of an attestation key; the schema allows no chain without certificate. */
export function readAkCertificate(
  { akCertificate, akChain }: Pick<Schemas['AzTdxVtpmEvidence'], 'akCertificate' | 'akChain'>,
  pointer: string,
): AkCertificateInput | null {
  if (akCertificate === undefined) return null;
  return { certificate: readCertificate(akCertificate, `${pointer}/akCertificate`), chain: akChain ?? null };
}

export const NO_SNP_ENDORSEMENTS: SnpEndorsementInput = { vek: null, chain: null, certificateTable: null, crls: [] };

/**
 * Rejects bytes that look like evidence of another type. Other unexpected bytes reach the parser of the requested
 * type. This gives a better message about a mistake and decides nothing.
 *
 * @throws {FormatError} `type_mismatch`
 */
export function refuseForeignStructure(bytes: Uint8Array, expected: string, pointer: string): void {
  const found = structureOf(bytes);
  if (found !== null && found !== expected) {
    throw new FormatError(
      'type_mismatch',
      `this is ${article(found)} ${found}, expected ${article(expected)} ${expected}`,
      { pointer },
    );
  }
}

/** The article for a name that is read letter by letter, as "an SNP report". */
function article(structure: string): string {
  return /^[AEFHILMNORSX][A-Z]/.test(structure) ? 'an' : 'a';
}

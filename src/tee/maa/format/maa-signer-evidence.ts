import { fromUtf8, isSameBytes } from '../../../core/bytes.js';
import { FormatError } from '../../../core/errors.js';
import { isObject, type JsonValue } from '../../../core/json.js';
import { decodeBase64 } from '../../../formats/base64.js';
import { DER, malformed, parseDer } from '../../../formats/der.js';
import { splitVcekChain } from '../../../formats/pem.js';
import { parseStrictJson } from '../../../formats/strict-json.js';
import type { X509Certificate } from '../../../formats/x509-certificate.js';
import { onlyExtension, type X509Extension } from '../../../formats/x509-extension.js';

/** Evidence in a certificate of Azure Attestation that a TEE holds its key. Not verified. */
export type MaaSignerEvidence = SnpSignerEvidence | { readonly tee: 'sgx' | 'other' };

/** Signer evidence of a container group in an SEV-SNP guest. */
export interface SnpSignerEvidence {
  readonly tee: 'snp';
  /** ATTESTATION_REPORT. */
  readonly report: Uint8Array;
  /** PEM: VCEK. */
  readonly vek: string;
  /** PEM: ASK, then ARK; null if there is no second certificate. */
  readonly chain: string | null;
}

const EXTENSION = {
  evidence: '1.3.6.1.4.1.311.105.1000.1',
  teeKind: '1.3.6.1.4.1.311.105.1000.2',
  /** An SGX quote: the documented OID, and the OID in certificates of 2020. */
  sgxQuote: ['1.3.6.1.4.1.311.105.1', '1.2.840.113556.10.1.1'],
} as const;

const SNP_CONTAINER = 'acisevsnp';

/**
 * Reads the evidence in a certificate of a signing key. Ignores a repeated extension, because the verifier of the
 * certificate rejects it. Ignores `Endorsements`, which is about the image of the guest.
 *
 * @returns null if there is none
 * @throws {FormatError} `cert_format`
 */
export function parseMaaSignerEvidence({ extensions }: X509Certificate): MaaSignerEvidence | null {
  const evidence = onlyExtension(extensions, EXTENSION.evidence);
  if (evidence !== null) {
    const kind = onlyExtension(extensions, EXTENSION.teeKind);
    return kind !== null && isText(kind, SNP_CONTAINER) ? snpEvidence(octetStringContent(evidence)) : { tee: 'other' };
  }
  return EXTENSION.sgxQuote.some((oid) => onlyExtension(extensions, oid) !== null) ? { tee: 'sgx' } : null;
}

/** The extensions are UTF8Strings. */
function octetStringContent({ value }: X509Extension): Uint8Array {
  const { tag, content } = parseDer(value);
  if (tag !== DER.utf8String) throw malformed('evidence of the signer is not a string');
  return content;
}

function isText(extension: X509Extension, text: string): boolean {
  return isSameBytes(fromUtf8(text), octetStringContent(extension));
}

function snpEvidence(text: Uint8Array): SnpSignerEvidence {
  const members = within(() => parseStrictJson(text));
  if (!isObject(members)) throw malformed('evidence of the signer is not an object');
  const certificates = splitVcekChain(bytesOf(members['VcekCertChain']));
  return { tee: 'snp', report: bytesOf(members['SnpReport']), ...certificates };
}

function bytesOf(value: JsonValue | undefined): Uint8Array {
  if (typeof value !== 'string') throw malformed('evidence of the signer lacks a member');
  return within(() => decodeBase64(value));
}

/** Converts errors in the evidence to `cert_format`, because the certificate contains the evidence. */
function within<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof FormatError ? malformed(`evidence of the signer: ${error.message}`, error) : error;
  }
}

import { hex, latin1 } from '../core/bytes.js';
import { nullIfMalformed } from '../core/errors.js';
import { isObject, type JsonObject, type JsonValue } from '../core/json.js';
import { decodeBase64, encodeBase64Url } from '../formats/base64.js';
import { parseClaimsSet, parseJws } from '../formats/jws.js';
import { parseStrictJson } from '../formats/strict-json.js';
import { CollectError } from './collect-error.js';
import type { CollectedQuote } from './guest-tpm.js';
import type { TsmReport } from './tsm-report.js';

/** The evidence of a vTPM, independent of what vouches for its key. */
export interface TpmParts {
  readonly quote: CollectedQuote;
  /** DER. */
  readonly akCertificate: Uint8Array | null;
  /** PEM. */
  readonly akChain?: string | null;
  /** Log of the firmware, then that of the system. */
  readonly eventLogs: readonly Uint8Array[];
}

/** A /verify body: the evidence of the guest, with nonce and key. */
export function requestBody(evidence: JsonObject, nonce: Uint8Array | null, jwk: JsonObject | null): string {
  const body = {
    evidence,
    ...(nonce === null ? {} : { nonce: encodeBase64Url(nonce) }),
    ...(jwk === null ? {} : { binding: { jwk } }),
  };
  return `${JSON.stringify(body)}\n`;
}

export function azureSnpEvidence(hclReport: Uint8Array, tpm: TpmParts, endorsements: JsonObject | null): JsonObject {
  return {
    type: 'az-snp-vtpm',
    hclReport: encodeBase64Url(hclReport),
    tpmQuote: tpmQuote(tpm.quote),
    ...(endorsements === null ? {} : { endorsements }),
    ...tpmMembers(tpm),
  };
}

export function azureTdxEvidence(
  hclReport: Uint8Array,
  tdQuote: Uint8Array,
  tpm: TpmParts,
  collateral: JsonObject | null = null,
): JsonObject {
  return {
    type: 'az-tdx-vtpm',
    hclReport: encodeBase64Url(hclReport),
    tdQuote: encodeBase64Url(tdQuote),
    tpmQuote: tpmQuote(tpm.quote),
    ...(collateral === null ? {} : { collateral }),
    ...tpmMembers(tpm),
  };
}

export function tpmEvidence(tpm: TpmParts): JsonObject {
  return { type: 'tpm', tpmQuote: tpmQuote(tpm.quote), ...tpmMembers(tpm) };
}

/** Azure Attestation issues this claim in every token, and no other issuer does. */
const MAA_CLAIM = 'x-ms-attestation-type';

/**
 * Reads a single token. Its type follows from an unverified claim: the verification of the token rejects a wrong one.
 * @throws {FormatError} `token_format`, `token_header`, `token_claim`
 */
export function tokenEvidence(bytes: Uint8Array): JsonObject {
  const token = latin1(bytes).trim();
  const claims = parseClaimsSet(parseJws(token).payload);
  return { type: Object.hasOwn(claims, MAA_CLAIM) ? 'maa-token' : 'ita-token', token };
}

/** Uses the dialect, except for a TD with its log, which the dialect cannot contain. */
export function tsmEvidence(tee: 'snp' | 'tdx', report: TsmReport, ccel: Uint8Array | null): JsonObject {
  if (tee === 'tdx' && ccel !== null) {
    return { type: tee, quote: encodeBase64Url(report.outblob), ccel: encodeBase64Url(ccel) };
  }
  const { provider, outblob, auxblob } = report;
  const value = {
    provider,
    outblob: encodeBase64Url(outblob),
    ...(auxblob.byteLength === 0 ? {} : { auxblob: encodeBase64Url(auxblob) }),
  };
  return { type: tee, dialect: 'configfs-tsm', value };
}

/** Certificates of the VM's SNP firmware from Azure's cache (THIM). Nothing of it is verified. */
export interface AmdCertification {
  /** PEM. */
  readonly vek: string;
  /** PEM: ASK, then ARK. */
  readonly chain: string;
}

export function certificationEndorsements({ vek, chain }: AmdCertification): JsonObject {
  return { vek, chain };
}

function tpmMembers({ akCertificate, akChain = null, eventLogs }: TpmParts): JsonObject {
  const [only, ...others] = eventLogs.map(encodeBase64Url);
  const eventLog: JsonValue | undefined = only === undefined || others.length === 0 ? only : [only, ...others];
  return {
    ...(eventLog === undefined ? {} : { eventLog }),
    ...(akCertificate === null ? {} : { akCertificate: encodeBase64Url(akCertificate) }),
    ...(akChain === null ? {} : { akChain }),
  };
}

function tpmQuote({ message, signature, pcrs }: CollectedQuote): JsonObject {
  const sha256 = Object.fromEntries([...pcrs].map(([index, value]) => [String(index), hex(value)]));
  return { message: encodeBase64Url(message), signature: encodeBase64Url(signature), pcrs: { sha256 } };
}

/** Reads the answer with certificates. @throws {CollectError} `metadata_answer` */
export function readAmdCertification(answer: Uint8Array): AmdCertification {
  const members = readAnswer(answer);
  return { vek: textMember(members, 'vcekCert'), chain: textMember(members, 'certificateChain') };
}

/** Reads the answer with a quote. @throws {CollectError} `metadata_answer` */
export function readTdQuote(answer: Uint8Array): Uint8Array {
  const text = textMember(readAnswer(answer), 'quote');
  const quote = nullIfMalformed(() => decodeBase64(text));
  if (quote === null || quote.byteLength === 0) throw new CollectError('metadata_answer', 'the quote is not base64url');
  return quote;
}

function readAnswer(answer: Uint8Array): JsonObject {
  const value = nullIfMalformed(() => parseStrictJson(answer));
  if (!isObject(value))
    throw new CollectError('metadata_answer', 'the metadata service did not answer with a JSON object');
  return value;
}

function textMember(members: JsonObject, name: string): string {
  const text = members[name];
  if (typeof text === 'string' && text !== '') return text;
  throw new CollectError('metadata_answer', `the answer of the metadata service has no ${name}`);
}

import { fromUtf8, utf8 } from '../core/bytes.js';
import { FormatError, nullIfMalformed } from '../core/errors.js';
import { isObject, type JsonObject } from '../core/json.js';
import { decodeBase64, decodeHex } from '../formats/base64.js';
import { parseStrictJson } from '../formats/strict-json.js';
import { remarkOnRaw } from '../inspect/raw-structures.js';
import { RECEIPT_PROFILE } from '../relying-party/check-receipt.js';
import { guestHint } from '../tee/azure/format/guest-evidence.js';
import { namesAttestationKey } from '../tee/shared/format/runtime-claims.js';
import { decisionIn } from './decision-link.js';
import { type FoundBytes, findBytes, readBytes, readRuntimeData } from './structures.js';

/** A file or text that was dropped, pasted or picked. */
export type Intake =
  /** A /verify body. */
  | { readonly kind: 'request'; readonly body: JsonObject }
  /** A single structure. `token`: its original text if it is a token. */
  | { readonly kind: 'bytes'; readonly found: FoundBytes; readonly token: string | null }
  | { readonly kind: 'decision'; readonly id: string }
  /** A single signed Attestation Result of a service. */
  | { readonly kind: 'receipt'; readonly found: FoundBytes; readonly receipt: string }
  /** A JWK Set with keys for receipts. */
  | { readonly kind: 'key-set'; readonly keySet: JsonObject }
  | { readonly kind: 'unknown'; readonly why: string };

const DECISION_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/** Types of evidence with a single structure, by the kind of structure. */
const EVIDENCE_OF: { readonly [kind in FoundBytes['kind']]?: (value: string) => JsonObject } = {
  'snp-report': (report) => ({ type: 'snp', report }),
  'snp-extended-report': (value) => ({ type: 'snp', dialect: 'extended-report', value }),
  'td-quote': (quote) => ({ type: 'tdx', quote }),
};

/** A decision id as the whole text, in quotes, or in a link to its record; null for any other text. */
function decisionIdIn(text: string): string | null {
  const id = /^["']?([0-9a-f-]{36})["']?$/i.exec(text)?.[1] ?? decisionIn(/#.*$/.exec(text)?.[0] ?? '');
  return id !== null && DECISION_ID.test(id) ? id.toLowerCase() : null;
}

/** Longer than the default limit of a service's body. */
const LONGEST = 4 * 2 ** 20;

/** Recognises the form of bytes: JSON, a structure, or text that encodes one. */
export function readIntake(bytes: Uint8Array): Intake {
  if (bytes.byteLength > LONGEST) return { kind: 'unknown', why: 'It is larger than 4 MiB, which no evidence is.' };
  const raw = readBytes(bytes);
  if (raw !== null) return ofStructure(raw, raw.kind === 'token' ? utf8(bytes).trim() : null);
  const text = utf8(bytes).trim();
  if (text === '') return { kind: 'unknown', why: 'There is nothing in it.' };
  const id = decisionIdIn(text);
  if (id !== null) return { kind: 'decision', id };
  return text.startsWith('{') ? readJson(text, bytes) : readEncoded(text, bytes);
}

/** The bytes of given evidence; null if there is none. */
export function foundOf(intake: Intake): readonly FoundBytes[] | null {
  if (intake.kind === 'bytes') return [intake.found];
  return intake.kind === 'request' ? findBytes(intake.body) : null;
}

/** The /verify body for a single structure; null if that cannot be verified alone. */
export function requestFor({ kind, bytes }: FoundBytes, token: string | null, encode: (bytes: Uint8Array) => string) {
  if (token !== null) {
    const type = typeOfToken(token);
    return type === null ? null : { evidence: { type, token } };
  }
  const evidence = EVIDENCE_OF[kind]?.(encode(bytes));
  return evidence === undefined ? null : { evidence };
}

function ofStructure(found: FoundBytes, token: string | null): Intake {
  if (token !== null && isReceipt(token)) return { kind: 'receipt', found, receipt: token };
  return { kind: 'bytes', found, token };
}

/** @param bytes the whole text, which contains the places of fields of runtime data */
function readJson(text: string, bytes: Uint8Array): Intake {
  try {
    const value = parseStrictJson(fromUtf8(text));
    if (!isObject(value)) return { kind: 'unknown', why: 'It is JSON, and no object.' };
    if (isObject(value['evidence'])) return { kind: 'request', body: value };
    if (typeof value['type'] === 'string') return { kind: 'request', body: { evidence: value } };
    if (isRuntimeData(value)) return { kind: 'bytes', found: readRuntimeData(bytes, ''), token: null };
    if (Array.isArray(value['keys'])) return { kind: 'key-set', keySet: value };
    return { kind: 'unknown', why: asSentence(guestHint(value) ?? NO_EVIDENCE) };
  } catch (error) {
    return {
      kind: 'unknown',
      why: `It is not strict JSON: ${error instanceof FormatError ? error.message : 'unreadable'}.`,
    };
  }
}

/** Whether it has a list of keys, like a key set, and the paravisor's statements about the machine. */
function isRuntimeData(value: JsonObject): boolean {
  return namesAttestationKey(value) || 'vm-configuration' in value || 'user-data' in value;
}

const NO_EVIDENCE =
  'it is JSON without the member evidence or type: no /verify body and no evidence. What another verifier takes goes into one: {"evidence": {"type": …, "dialect": …, "value": …}} (docs/formats.md)';
const UNKNOWN =
  'It is none of what this page knows: a /verify body, evidence, an SNP report, an HCL report, a TD quote, a TPM quote, runtime data, an event log, a certificate, a CRL, collateral, a token, a receipt, a key set, or the id of a decision.';

/** Reads bytes that were pasted as base64 or hex. */
function readEncoded(text: string, bytes: Uint8Array): Intake {
  const line = text.replaceAll(/\s/g, '');
  const decoded = nullIfMalformed(() => decodeHex(line)) ?? nullIfMalformed(() => decodeBase64(line));
  const found = decoded === null ? null : (readBytes(decoded) ?? inJson(decoded));
  if (found !== null) return 'why' in found ? found : { kind: 'bytes', found, token: null };
  const remark = remarkOnRaw(bytes) ?? (decoded === null ? null : remarkOnRaw(decoded));
  return { kind: 'unknown', why: remark === null ? UNKNOWN : asSentence(remark) };
}

/** Runtime data, which Azure's clients send in base64, or a hint for other JSON; null if it is neither. */
function inJson(decoded: Uint8Array): FoundBytes | { readonly kind: 'unknown'; readonly why: string } | null {
  const value = nullIfMalformed(() => parseStrictJson(decoded));
  if (!isObject(value)) return null;
  if (isRuntimeData(value)) return readRuntimeData(decoded, '');
  const hint = guestHint(value);
  return hint === null ? null : { kind: 'unknown', why: asSentence(hint) };
}

const asSentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

/** `iss` of each type of token. Older tokens of Intel Trust Authority have its name, those of 2026 the URL of its portal. */
const ISSUERS = {
  'maa-token': /^https:\/\/[^/]+\.attest\.azure\.(?:net|us|cn)(?:\/|$)/i,
  'ita-token': /^Intel Trust Authority$|^https:\/\/[^/]*\.intel\.com(?:\/|$)/i,
} as const;

/** The type by the unverified issuer of the token, which the service verifies. Null for other issuers. */
function typeOfToken(token: string): keyof typeof ISSUERS | null {
  const issuer = partOf(token, 1)?.['iss'];
  if (typeof issuer !== 'string') return null;
  const types = Object.keys(ISSUERS) as (keyof typeof ISSUERS)[];
  return types.find((type) => ISSUERS[type].test(issuer)) ?? null;
}

/** Whether a token is a receipt. No evidence token has its type (docs/receipts.md). The key check rejects an EAR of another verifier. */
function isReceipt(token: string): boolean {
  return partOf(token, 0)?.['typ'] === 'eat+jwt' && partOf(token, 1)?.['eat_profile'] === RECEIPT_PROFILE;
}

/** Header or claims; null if it is no JSON object. */
function partOf(token: string, index: 0 | 1): JsonObject | null {
  const part = nullIfMalformed(() => parseStrictJson(decodeBase64(token.split('.')[index] ?? '')));
  return isObject(part) ? part : null;
}

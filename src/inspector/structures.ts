import { fromLatin1, fromUtf8, joined, latin1 } from '../core/bytes.js';
import { nullIfMalformed } from '../core/errors.js';
import type { StructureKind } from '../core/evidence.js';
import { isObject, type JsonValue, jsonPointer } from '../core/json.js';
import { decodeBase64, decodeHex } from '../formats/base64.js';
import { PEM_TEXT_BYTES, parsePemBlocks } from '../formats/pem.js';
import { parseStrictJson } from '../formats/strict-json.js';
import { describeCertification, describePublicArea, describeRuntimeData } from '../inspect/describe-azure-evidence.js';
import { describeCcel, describeVtpmLogs } from '../inspect/describe-event-log.js';
import type { FieldDescription, StructureDescription } from '../inspect/field-description.js';
import { describeRaw, inMember, nameOfKind, recogniseRaw } from '../inspect/raw-structures.js';
import { readRuntimeObject } from '../tee/shared/format/runtime-claims.js';

/** Recognised bytes of the input, with their fields. Nothing in them is verified. */
export interface FoundBytes {
  /** JSON pointer to them; empty for a single file; a name for bytes from the service. */
  readonly pointer: string;
  readonly kind: FoundKind;
  readonly bytes: Uint8Array;
  readonly structures: readonly StructureDescription[];
  /** Why they are unreadable, although they resemble their kind; null if they are readable. */
  readonly problem: string | null;
}

/** The kind of bytes. Some are recognised by their place. `unread`: beyond the limit. */
export type FoundKind = StructureKind | keyof typeof PLACED | 'unread';

/** Structures that only their place identifies, with the name of that place. */
const PLACED = {
  'runtime-data': 'runtime data',
  'tpm-public': 'the public area of a key in a TPM',
  'key-certification': 'the certification of a key by a TPM',
} as const;

/** The display name of a kind, with its article. */
export function nameOfFound(kind: FoundKind): string {
  if (kind === 'unread') return 'not looked at';
  return kind in PLACED ? PLACED[kind as keyof typeof PLACED] : nameOfKind(kind as StructureKind);
}

/** Members that the service reads as report or quote, in every dialect (src/wire/dialects). It ignores some of arbitrary content. */
const JUDGED =
  /^\/evidence\/(?:report|hclReport|quote|tdQuote|tpmQuote\/message|value(?:\/(?:report(?:\/SnpReport)?|hcl_report|(?:td_|tdx\/)?quote|(?:tpm_)?quote\/message|outblob|IsolationInfo\/Evidence\/Proof(?:\/SnpReport)?|TpmInfo\/PcrQuote))?)$/;
/**
 * Members with the event log of a boot, or the first of two, and that of `POST /inspect`. The log of the dialect `ita` is
 * included, although the service does not verify it.
 */
const BOOT_LOG = /^(?:|\/evidence\/(?:eventLog(?:\/0)?|ccel|log|value(?:\/TcgLogs|(?:\/tdx)?\/event_log)?))$/;
/** Members with runtime data. */
const RUNTIME_DATA =
  /^\/evidence\/(?:runtimeData|value\/(?:runtimeData\/data|(?:tdx\/)?runtime_data|IsolationInfo\/Evidence\/RunTimeData))$/;

/** Whether the service would verify these bytes: a single file, or the member of a report or quote. */
export function isJudged({ pointer }: FoundBytes): boolean {
  return pointer === '' || JUDGED.test(pointer);
}

/** The kinds of structures that contain a report or quote. */
const OF_REPORTS: ReadonlySet<FoundKind> = new Set([
  'snp-report',
  'snp-extended-report',
  'hcl-report',
  'td-quote',
  'tpm-quote',
]);

/** Whether bytes are a report or quote, or contain one, at any place. */
export function speaksOfMachine({ kind }: FoundBytes): boolean {
  return OF_REPORTS.has(kind);
}

/** Whether bytes are a single file, or in the member of the event log of a boot. */
export function isBootLog({ pointer }: FoundBytes): boolean {
  return BOOT_LOG.test(pointer);
}

/** Whether bytes are the runtime data of the verified structure. */
export function isRuntimeData({ pointer }: FoundBytes): boolean {
  return RUNTIME_DATA.test(pointer);
}

/** Keys of a vTPM that an Azure guest sends (dialect `azure-guest`). A certification begins like a quote. */
const TPM_PUBLIC = /^\/evidence\/value\/TpmInfo\/(?:AikPub|EncKeyPub)$/;
const KEY_CERTIFICATION = /^\/evidence\/value\/TpmInfo\/EncKeyCertifyInfo$/;

/** Members whose content the sender chooses: it is not verified, so structures in it are irrelevant. */
const OF_THE_CALLER = /\/(?:runtime|init|user|inittime|held)_?-?data\b|nonce/i;

/** The longest log that the page reads. */
export const LOG_BYTES = 2 ** 20;
/** Shorter bytes are not searched for structures. */
const SHORTEST = 32;
/** Levels of JSON in encoded bytes in JSON, as in a body for Azure Attestation. */
const DEEPEST = 8;
const MOST_FOUND = 64;

/** Finds every readable structure in a JSON value, under any member name. */
export function findBytes(value: JsonValue): readonly FoundBytes[] {
  const found: FoundBytes[] = [];
  search(value, '', 0, found);
  return found;
}

/** Recognises single bytes; null if they match no known kind, or several. */
export function readBytes(bytes: Uint8Array, pointer = ''): FoundBytes | null {
  const [kind, ...others] = recogniseRaw(bytes);
  if (kind === undefined || others.length > 0) return null;
  return described({ pointer, kind, bytes }, () => describe(bytes, kind, pointer));
}

function described(
  found: Pick<FoundBytes, 'pointer' | 'kind' | 'bytes'>,
  describeThem: () => FoundBytes['structures'],
): FoundBytes {
  try {
    return { ...found, structures: describeThem(), problem: null };
  } catch (error) {
    return { ...found, structures: [], problem: error instanceof Error ? error.message : String(error) };
  }
}

/** Whether an event log is that of a TD, by its pointer. */
export const isLogOfTd = (pointer: string): boolean => /ccel$/i.test(pointer);

/** Describes a log with its events: a TD has other registers. */
function describe(bytes: Uint8Array, kind: StructureKind, pointer: string): readonly StructureDescription[] {
  if (kind !== 'event-log') return describeRaw(bytes, kind, inMember(''));
  return isLogOfTd(pointer) ? describeCcel(bytes, '', LOG_BYTES) : describeVtpmLogs([bytes], '', LOG_BYTES);
}

/** The range of a field in its container; null if it has none. */
export function fieldRange({ start }: StructureDescription, { offset, length }: FieldDescription) {
  if (start === null || offset === null || length === null) return null;
  return { from: start + offset, to: start + offset + length };
}

/** The bytes for the hex view, with their structures: encoded text is decoded, since fields are in the decoded bytes. */
export function shownBytes(found: FoundBytes): Pick<FoundBytes, 'bytes' | 'structures'> {
  const { bytes, structures } = found;
  const parts = structures.length === 0 ? null : encodedIn(found);
  if (parts === null) return { bytes, structures };
  let start = 0;
  const placed = structures.map((structure) => {
    const place = { ...structure, start };
    start += structure.length;
    return place;
  });
  return { bytes: joined(parts), structures: placed };
}

/** The decoded structures of a text in order: DER in PEM, header and claims in a token; null for any other text. */
function encodedIn({ kind, bytes }: FoundBytes): readonly Uint8Array[] | null {
  if (kind === 'pem') return parsePemBlocks(latin1(bytes), PEM_TEXT_BYTES).map(({ der }) => der);
  if (kind !== 'token') return null;
  return latin1(bytes)
    .trim()
    .split('.', 2)
    .map((part) => decodeBase64(part));
}

function search(value: JsonValue, pointer: string, depth: number, found: FoundBytes[]): void {
  if (depth > DEEPEST || found.length >= MOST_FOUND) noteUnread(value, pointer, found);
  else if (typeof value === 'string') searchText(value, pointer, depth, found);
  else if (Array.isArray(value)) searchList(value, pointer, depth, found);
  else if (value !== null && isObject(value)) searchObject(value, pointer, depth, found);
}

/** Adds one note in place of bytes that could be a structure. */
function noteUnread(value: JsonValue, pointer: string, found: FoundBytes[]): void {
  const isNothing = typeof value === 'string' ? value.length < SHORTEST : value === null || typeof value !== 'object';
  if (isNothing || OF_THE_CALLER.test(pointer) || found.some(({ kind }) => kind === 'unread')) return;
  found.push(unread(pointer, `this page looks at ${MOST_FOUND} structures, ${DEEPEST} levels deep, and there is more`));
}

/** Adds an unreadable report or quote at its place: a report elsewhere must not replace it. */
function noteUnrecognised(pointer: string, found: FoundBytes[]): void {
  if (JUDGED.test(pointer)) found.push(unread(pointer, 'it looks like nothing that is known, or like several things'));
}

function unread(pointer: string, problem: string): FoundBytes {
  return { pointer, kind: 'unread', bytes: new Uint8Array(), structures: [], problem };
}

function searchObject(
  value: { readonly [name: string]: JsonValue },
  pointer: string,
  depth: number,
  found: FoundBytes[],
) {
  // Collateral is one object with several texts.
  const collateral = 'tcb_info' in value ? readBytes(fromUtf8(JSON.stringify(value)), pointer) : null;
  if (collateral !== null) found.push({ ...collateral, bytes: new Uint8Array() });
  else
    for (const [name, member] of Object.entries(value)) search(member, pointer + jsonPointer([name]), depth + 1, found);
}

/** Searches a list. A list of numbers may be bytes, as serde writes them. */
function searchList(value: readonly JsonValue[], pointer: string, depth: number, found: FoundBytes[]): void {
  const bytes = value.length >= SHORTEST && value.every(isByte) ? Uint8Array.from(value) : null;
  const read = bytes === null ? null : readBytes(bytes, pointer);
  if (read !== null) found.push(read);
  else if (bytes !== null) noteUnrecognised(pointer, found);
  else {
    for (const [index, item] of value.entries()) search(item, `${pointer}/${index}`, depth + 1, found);
  }
}

function searchText(text: string, pointer: string, depth: number, found: FoundBytes[]): void {
  if (text.length < SHORTEST) {
    noteUnrecognised(pointer, found);
    return;
  }
  const asIs = readBytes(fromLatin1(text), pointer);
  if (asIs !== null) {
    found.push(asIs);
    return;
  }
  const bytes = nullIfMalformed(() => decodeHex(text)) ?? nullIfMalformed(() => decodeBase64(text));
  if (bytes === null) {
    noteUnrecognised(pointer, found);
    return;
  }
  const read = ofVtpmKey(bytes, pointer) ?? readBytes(bytes, pointer) ?? runtimeData(bytes, pointer);
  if (read !== null) found.push(read);
  // A log in JSON is shown as its replay, so its content is not searched.
  const inside = read?.kind === 'event-log' ? null : nullIfMalformed(() => parseStrictJson(bytes));
  if (inside !== null && typeof inside === 'object') search(inside, pointer, depth + 1, found);
  else if (read === null) noteUnrecognised(pointer, found);
}

function ofVtpmKey(bytes: Uint8Array, pointer: string): FoundBytes | null {
  if (TPM_PUBLIC.test(pointer))
    return described({ pointer, kind: 'tpm-public', bytes }, () => [describePublicArea(bytes, '')]);
  return KEY_CERTIFICATION.test(pointer)
    ? described({ pointer, kind: 'key-certification', bytes }, () => [describeCertification(bytes, '')])
    : null;
}

/** Runtime data is JSON that only its place identifies. */
function runtimeData(bytes: Uint8Array, pointer: string): FoundBytes | null {
  return /runtime_?data(?:\/data)?$/i.test(pointer) ? readRuntimeData(bytes, pointer) : null;
}

/** Reads runtime data, which the caller has identified by its pointer or by its members. */
export function readRuntimeData(bytes: Uint8Array, pointer: string): FoundBytes {
  const object = readRuntimeObject(bytes);
  const structures = [describeRuntimeData(bytes, '', object)];
  return { pointer, kind: 'runtime-data', bytes, structures, problem: object.ok ? null : object.detail };
}

const isByte = (value: JsonValue): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 255;

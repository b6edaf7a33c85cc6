import { hex } from '../../../core/bytes.js';
import { FormatError } from '../../../core/errors.js';
import { ByteReader, isZero } from '../../../formats/byte-reader.js';

/** Certificates of an SNP extended report, supplied by the host. Not verified. */
export interface SnpCertificateTable {
  readonly vcek?: Uint8Array;
  readonly vlek?: Uint8Array;
  /** ASK; with a VLEK, the ASVK. */
  readonly ask?: Uint8Array;
  readonly ark?: Uint8Array;
}

/** Certificates by GUID, in the byte order of RFC 4122 section 4.1.2, as in the table. */
const CONTENT_BY_GUID: ReadonlyMap<string, keyof SnpCertificateTable> = new Map([
  ['63da758de6644564adc5f4b93be8accd', 'vcek'],
  ['a8074bc2a25a483eaae639c045a0b8a1', 'vlek'],
  ['4ab7b379bbac4fe4a02f05aef327c782', 'ask'],
  ['c0b406a4a803495297433fb6014cd0ae', 'ark'],
]);

const ENTRY_LENGTH = 24;
/** Four kinds are known, and hosts add a few. Bounded, because the table is read before anything is verified. */
const MAXIMUM_ENTRIES = 64;

interface Entry {
  readonly guid: string;
  readonly offset: number;
  readonly length: number;
}

/**
 * Reads the certificate table of an SNP extended report (GHCB, SNP_EXT_GUEST_REQUEST; `auxblob` of configfs-tsm):
 * entries of GUID, offset and length up to an all-zero entry, then their contents. Ignores the contents of entries with
 * other GUIDs, because hosts add their own, but checks their range. Ignores bytes outside all entries, because hosts
 * pad the table to whole pages.
 *
 * @throws {FormatError} `cert_format` if the final entry is missing or comes after more than 64 entries, if an entry is
 *   empty, points outside the table, into the entries or into another content, or if a kind of certificate is repeated
 */
export function parseSnpCertificateTable(bytes: Uint8Array): SnpCertificateTable {
  const { entries, end } = parseEntries(bytes);
  requireApart(entries, end, bytes.byteLength);
  const table: { -readonly [K in keyof SnpCertificateTable]: SnpCertificateTable[K] } = {};
  for (const { guid, offset, length } of entries) {
    const kind = CONTENT_BY_GUID.get(guid);
    if (kind === undefined) continue;
    if (table[kind] !== undefined) throw malformed(`${kind} appears twice`);
    table[kind] = bytes.subarray(offset, offset + length);
  }
  return table;
}

function parseEntries(bytes: Uint8Array): { readonly entries: readonly Entry[]; readonly end: number } {
  const reader = new ByteReader(bytes, 'cert_format');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: Entry[] = [];
  for (;;) {
    const start = reader.offset;
    const entry = reader.bytes(ENTRY_LENGTH, 'entry of the certificate table');
    if (isZero(entry)) return { entries, end: reader.offset };
    if (entries.length === MAXIMUM_ENTRIES) throw malformed(`more than ${MAXIMUM_ENTRIES} entries`);
    entries.push({
      guid: hex(entry.subarray(0, 16)),
      offset: view.getUint32(start + 16, true),
      length: view.getUint32(start + 20, true),
    });
  }
}

/** Requires that the contents do not overlap each other or the entries, and that the last one ends inside the table. */
function requireApart(entries: readonly Entry[], start: number, size: number): void {
  let end = start;
  for (const entry of entries.toSorted((a, b) => a.offset - b.offset)) {
    if (entry.length === 0) throw malformed('entry of no bytes');
    if (entry.offset < end) throw malformed('entry points into the entries or into another one');
    end = entry.offset + entry.length;
    if (end > size) throw malformed('entry points outside the table');
  }
}

function malformed(what: string): FormatError {
  return new FormatError('cert_format', `certificate table: ${what}`);
}

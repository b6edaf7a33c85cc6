import { hex } from '../../../core/bytes.js';
import { FormatError } from '../../../core/errors.js';
import { ByteReader, isZero } from '../../../formats/byte-reader.js';

/** Certificates of an SNP extended report, as the host put them there. Nothing in here is verified. */
export interface SnpCertificateTable {
  readonly vcek?: Uint8Array;
  readonly vlek?: Uint8Array;
  /** ASK, or ASVK beside a VLEK. */
  readonly ask?: Uint8Array;
  readonly ark?: Uint8Array;
}

/** GUIDs as they stand in the table: the bytes of RFC 4122 section 4.1.2, in order. */
const CONTENT_BY_GUID: ReadonlyMap<string, keyof SnpCertificateTable> = new Map([
  ['63da758de6644564adc5f4b93be8accd', 'vcek'],
  ['a8074bc2a25a483eaae639c045a0b8a1', 'vlek'],
  ['4ab7b379bbac4fe4a02f05aef327c782', 'ask'],
  ['c0b406a4a803495297433fb6014cd0ae', 'ark'],
]);

const ENTRY_LENGTH = 24;
/** There are four kinds that are known, and hosts add a few. The table is read before anything is verified. */
const MAXIMUM_ENTRIES = 64;

interface Entry {
  readonly guid: string;
  readonly offset: number;
  readonly length: number;
}

/**
 * Reads the certificate table of an SNP extended report (GHCB, SNP_EXT_GUEST_REQUEST; `auxblob` of configfs-tsm):
 * entries of GUID, offset and length up to one that is all zero, then what they point at.
 * Entries with another GUID are passed over once their place is known to be sound, since hosts add their own.
 * Bytes that no entry points at are ignored: hosts fill the table up to whole pages.
 *
 * @throws {FormatError} `cert_format` when the end of the entries is missing or comes after more than 64, an entry is empty, points outside the
 *   table, into the entries or into another one, or a kind of certificate appears twice
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

/** In the order of their offsets, each begins where the one before has ended, and the last ends inside the table. */
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

import { hex, utf16le } from '../core/bytes.js';

/** Parses the data of an event beyond its digest. Each function returns null for another form. */

/** Header of EFI_SIGNATURE_LIST: a GUID, then sizes of the list, of a header and of an entry (UEFI 2.10, 32.4.1). */
const SIGNATURE_LIST_HEADER = 28;
/** EFI_SIGNATURE_DATA starts with the GUID of its owner. */
const OWNER_LENGTH = 16;

/** Entries of a signature database, in hex: the type of their list, owner and data. */
export function signatureEntries(contents: Uint8Array): readonly string[] | null {
  const view = viewOf(contents);
  const entries: string[] = [];
  for (let start = 0; start < contents.byteLength; ) {
    if (start + SIGNATURE_LIST_HEADER > contents.byteLength) return null;
    const [listSize, headerSize, size] = [16, 20, 24].map((at) => view.getUint32(start + at, true)) as [
      number,
      number,
      number,
    ];
    const [first, end] = [start + SIGNATURE_LIST_HEADER + headerSize, start + listSize];
    if (size <= OWNER_LENGTH || first > end || end > contents.byteLength || (end - first) % size !== 0) return null;
    const type = hex(contents.subarray(start, start + 16));
    for (let at = first; at < end; at += size) entries.push(`${type}:${hex(contents.subarray(at, at + size))}`);
    start = end;
  }
  return entries;
}

/** A firmware has some dozen options. */
const MAXIMUM_OPTIONS = 256;

/** Boot options in the order of `BootOrder`. */
export function bootOrder(contents: Uint8Array): readonly string[] | null {
  const count = contents.byteLength / 2;
  if (count === 0 || count > MAXIMUM_OPTIONS || !Number.isInteger(count)) return null;
  const view = viewOf(contents);
  return Array.from({ length: count }, (_, index) =>
    view
      .getUint16(2 * index, true)
      .toString(16)
      .toUpperCase()
      .padStart(4, '0'),
  );
}

/** EFI_LOAD_OPTION: attributes, length of the paths, then the description, in UTF-16 up to a NUL (UEFI 2.10, 3.1.3). */
const DESCRIPTION_OFFSET = 6;

export function bootOptionName(contents: Uint8Array): string | null {
  const text = utf16le(contents.subarray(DESCRIPTION_OFFSET));
  const end = text.indexOf('\0');
  return end > 0 ? text.slice(0, end) : null;
}

/** EFI_IMAGE_LOAD_EVENT: address, length and link time address of an image, then the length of its device path. */
const DEVICE_PATH_LENGTH_OFFSET = 24;
const DEVICE_PATH_OFFSET = 32;
/** File path media device path (UEFI 2.10, 10.3.5.4). */
const MEDIA_TYPE = 0x04;
const FILE_PATH_SUBTYPE = 0x04;
const NODE_HEADER = 4;

/** The file of an image, by the device path of its event. */
export function imagePath(data: Uint8Array): string | null {
  if (data.byteLength < DEVICE_PATH_OFFSET) return null;
  const view = viewOf(data);
  const end = DEVICE_PATH_OFFSET + Number(view.getBigUint64(DEVICE_PATH_LENGTH_OFFSET, true));
  if (end > data.byteLength) return null;
  let path = '';
  for (let at = DEVICE_PATH_OFFSET; at + NODE_HEADER <= end; ) {
    const length = view.getUint16(at + 2, true);
    if (length < NODE_HEADER || at + length > end) return null;
    if (data[at] === MEDIA_TYPE && data[at + 1] === FILE_PATH_SUBTYPE) {
      path += utf16le(data.subarray(at + NODE_HEADER, at + length));
    }
    at += length;
  }
  const name = path.replaceAll('\0', '');
  return name === '' ? null : name;
}

/** UEFI_GPT_DATA: the header of the table, then the number of partitions (TCG PC Client PFP, Measuring UEFI GPT). */
const DISK_GUID_OFFSET = 56;
const PARTITION_COUNT_OFFSET = 92;

export interface PartitionTable {
  /** The GUID of the disk, in its stored byte order, hex. */
  readonly disk: string;
  readonly partitions: number;
}

export function partitionTable(data: Uint8Array): PartitionTable | null {
  if (data.byteLength < PARTITION_COUNT_OFFSET + 8) return null;
  const partitions = Number(viewOf(data).getBigUint64(PARTITION_COUNT_OFFSET, true));
  return { disk: hex(data.subarray(DISK_GUID_OFFSET, DISK_GUID_OFFSET + 16)), partitions };
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

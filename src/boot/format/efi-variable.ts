import { hex, utf16le } from '../../core/bytes.js';

/** UEFI_VARIABLE_DATA of an event (TCG PC Client Platform Firmware Profile, Measuring UEFI Variables). */
export interface EfiVariable {
  /** Vendor GUID in its usual spelling, lower case. */
  readonly guid: string;
  readonly name: string;
  /** The variable's contents. */
  readonly contents: Uint8Array;
  /** Number of bytes after the contents. Older versions of shim hash and log some bytes beyond their variable. */
  readonly trailing: number;
}

/** Names of variables are short; a longer one is invalid. */
const MAXIMUM_NAME_LENGTH = 256;

/** The vendor GUIDs of the variables that control Secure Boot (UEFI 2.10, 3.3 and 32.6.1). */
export const EFI_GLOBAL_VARIABLE = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
export const EFI_IMAGE_SECURITY_DATABASE = 'd719b2cb-3d3a-4596-a3bc-dad00e67656f';

/** Vendor GUID, length of the name in characters, length of the contents in bytes. */
const HEADER_LENGTH = 32;

/** Returns null if the bytes are not in this form. */
export function parseEfiVariable(bytes: Uint8Array): EfiVariable | null {
  if (bytes.byteLength < HEADER_LENGTH) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const nameLength = Number(view.getBigUint64(16, true));
  const length = Number(view.getBigUint64(24, true));
  const start = HEADER_LENGTH + 2 * nameLength;
  if (nameLength > MAXIMUM_NAME_LENGTH || start + length > bytes.byteLength) return null;
  return {
    guid: guidOf(bytes.subarray(0, 16)),
    name: utf16le(bytes.subarray(HEADER_LENGTH, start)),
    contents: bytes.subarray(start, start + length),
    trailing: bytes.byteLength - start - length,
  };
}

/** EFI_GUID: the first three groups are little endian. */
function guidOf(bytes: Uint8Array): string {
  const digits = hex(Uint8Array.from(GUID_ORDER, (index) => bytes[index] ?? 0));
  return [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20)].join(
    '-',
  );
}

const GUID_ORDER = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];

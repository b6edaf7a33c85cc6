import { littleEndian } from './byte-patch.js';

/** GUIDs of the contents of a certificate table. */
export const CERTIFICATE_GUID = {
  vcek: '63da758d-e664-4564-adc5-f4b93be8accd',
  vlek: 'a8074bc2-a25a-483e-aae6-39c045a0b8a1',
  ask: '4ab7b379-bbac-4fe4-a02f-05aef327c782',
  ark: 'c0b406a4-a803-4952-9743-3fb6014cd0ae',
} as const;

const ENTRY_LENGTH = 24;

/**
 * Writes the certificate table of an SNP extended report (GHCB, SNP_EXT_GUEST_REQUEST): entries of GUID, offset and
 * length, an entry of zeros, then the contents one after the other.
 *
 * @param contents kind, or any GUID, and bytes; in this order, and as often as they are named
 */
export function buildCertificateTable(
  contents: readonly (readonly [kind: keyof typeof CERTIFICATE_GUID | `${string}-${string}`, bytes: Uint8Array])[],
): Uint8Array {
  let offset = ENTRY_LENGTH * (contents.length + 1);
  const entries = contents.map(([kind, bytes]) => {
    const entry = Buffer.concat([guidBytes(kind), littleEndian(offset, 4), littleEndian(bytes.byteLength, 4)]);
    offset += bytes.byteLength;
    return entry;
  });
  return Uint8Array.from(
    Buffer.concat([...entries, new Uint8Array(ENTRY_LENGTH), ...contents.map(([, bytes]) => bytes)]),
  );
}

function guidBytes(kind: string): Uint8Array {
  const known = new Map<string, string>(Object.entries(CERTIFICATE_GUID));
  return Buffer.from((known.get(kind) ?? kind).replaceAll('-', ''), 'hex');
}

/** Bytes that are written over others, wherever they stand: how a test breaks what a builder does not offer to break. */
export interface BytePatch {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** A copy with every patch applied, in order. The length stays as it is. */
export function patchBytes(bytes: Uint8Array, patches: readonly BytePatch[]): Uint8Array {
  const copy = Uint8Array.from(bytes);
  for (const patch of patches) copy.set(patch.bytes, patch.offset);
  return copy;
}

/** A copy with one bit changed. */
export function flipBit(bytes: Uint8Array, offset: number, bit = 0): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[offset] = (copy[offset] ?? 0) ^ (1 << bit);
  return copy;
}

/** A number in little endian. */
export function littleEndian(value: number | bigint, length: number): Uint8Array {
  return bigEndian(value, length).reverse();
}

/** A number in big endian. */
export function bigEndian(value: number | bigint, length: number): Uint8Array {
  const text = BigInt(value)
    .toString(16)
    .padStart(length * 2, '0');
  if (text.length > length * 2) throw new RangeError(`${value} does not fit ${length} bytes`);
  return Uint8Array.from(Buffer.from(text, 'hex'));
}

/** One after the other. */
export function joinBytes(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

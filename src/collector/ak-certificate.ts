/** Supported certificates have at most 16 KiB, so DER lengths of two bytes are enough. */
const LONG_FORM = { oneByte: 0x81, twoBytes: 0x82 } as const;
const SEQUENCE = 0x30;

/** The DER value at the start of an NV index, without the filling; null if there is none. */
export function certificateIn(index: Uint8Array): Uint8Array | null {
  const [tag, first = 0, second = 0, third = 0] = index;
  if (tag !== SEQUENCE) return null;
  const length = lengthOf(first, second, third);
  return length === null || length > index.byteLength ? null : index.slice(0, length);
}

/** Length of the whole value, including its header. */
function lengthOf(first: number, second: number, third: number): number | null {
  if (first < 0x80) return 2 + first;
  if (first === LONG_FORM.oneByte) return 3 + second;
  return first === LONG_FORM.twoBytes ? 4 + second * 256 + third : null;
}

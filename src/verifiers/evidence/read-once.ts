/**
 * Reads each object once, and forgets the result with the object: the same bytes are read to request endorsements and to
 * verify. A failed reading is repeated, and fails again.
 */
export function readOnce<From extends object, Read>(read: (from: From) => Read): (from: From) => Read {
  const known = new WeakMap<From, { readonly value: Read }>();
  return (from) => {
    let found = known.get(from);
    if (found === undefined) {
      found = { value: read(from) };
      known.set(from, found);
    }
    return found.value;
  };
}

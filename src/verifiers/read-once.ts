/**
 * A reading that is made once for each object, and forgotten with it: naming the endorsements of evidence and
 * verifying it read the same bytes. What could not be read is read, and refused, again.
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

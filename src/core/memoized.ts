/**
 * Computes a value of an object once, and forgets it with the object: for endorsements, which a source returns as the
 * same object for as long as it caches them. Nothing is cached if `compute` throws.
 */
export function memoized<From extends object, Result>(compute: (from: From) => Result): (from: From) => Result {
  const known = new WeakMap<From, { readonly result: Result }>();
  return (from) => {
    let found = known.get(from);
    if (found === undefined) {
      found = { result: compute(from) };
      known.set(from, found);
    }
    return found.result;
  };
}

/** A value that is at hand, or a promise of one: a request that has to wait for nothing is answered without waiting. */
export type Soon<T> = T | Promise<T>;

/** Goes on with a value, at once where it is at hand. */
export function whenKnown<T, R>(value: Soon<T>, goOn: (value: T) => Soon<R>): Soon<R> {
  return value instanceof Promise ? value.then(goOn) : goOn(value);
}

/** Two values, at once where both are at hand. */
export function both<A, B>(a: Soon<A>, b: Soon<B>): Soon<readonly [A, B]> {
  return a instanceof Promise || b instanceof Promise ? Promise.all([a, b]) : [a, b];
}

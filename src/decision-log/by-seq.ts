/** What belongs to each record of a chain. More than one entry of a record is what somebody has put in. */
export function bySeq<T extends { readonly seq: number }>(all: readonly T[]): ReadonlyMap<number, readonly T[]> {
  const found = new Map<number, T[]>();
  for (const each of all) {
    const others = found.get(each.seq);
    if (others === undefined) found.set(each.seq, [each]);
    else others.push(each);
  }
  return found;
}

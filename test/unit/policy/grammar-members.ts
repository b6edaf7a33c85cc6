import type { Reader } from '../../../src/policy/readers.js';

/** Every member that a reader reads, as a path; `[]` for the items of a list. */
export function membersOf(read: Reader<unknown>, path = ''): readonly string[] {
  const { inside } = read;
  if (inside === undefined) return [path];
  if (inside.kind === 'items') return inside.item.inside === undefined ? [path] : membersOf(inside.item, `${path}[]`);
  return [...inside.members].flatMap(([name, member]) => membersOf(member, path === '' ? name : `${path}.${name}`));
}

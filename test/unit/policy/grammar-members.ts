import type { Schema } from '../../../src/schema/schema.js';

/** Every member of a schema, as a path; `[]` for the items of a list. */
export function membersOf({ below }: Schema<unknown>, path = ''): readonly string[] {
  if (below.kind === 'items') return below.item.below.kind === 'nothing' ? [path] : membersOf(below.item, `${path}[]`);
  if (below.kind !== 'members') return [path];
  return [...below.members].flatMap(([name, member]) => membersOf(member, path === '' ? name : `${path}.${name}`));
}

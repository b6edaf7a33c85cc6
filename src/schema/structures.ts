import { isObject, type JsonObject, type JsonValue } from '../core/json.js';
import { meantOr } from '../core/names-in-messages.js';
import type { Below, Place, Read, Schema } from './schema.js';
import { choice } from './values.js';

type Members<T> = { readonly [K in keyof T]-?: Schema<T[K]> };
type Known<T = unknown> = ReadonlyMap<string, Schema<T>>;

/** An object with exactly these members. Every member is read, even after a refusal. */
export function object<T extends object>(members: Members<T>): Schema<Readonly<T>> {
  const known: Known = new Map(Object.entries<Schema<unknown>>(members));
  // The members are those of T, each read by the schema of its type.
  return ofObject(
    { kind: 'members', members: known },
    (given, at) => readKnown(known, [...known.keys()], given, at) as T,
  );
}

/** An object that defaults to empty. */
export function section<T extends object>(members: Members<T>): Schema<Readonly<T>> {
  const schema = object(members);
  return { ...schema, read: (raw, at) => schema.read(raw === undefined ? {} : raw, at) };
}

/**
 * An object with at least one of these members. Absent members stay absent.
 * @param others form of further names
 */
export function someOf<N extends string, T>(
  names: readonly N[],
  schemaOf: (name: N) => Schema<T>,
  others: RegExp | null = null,
): Schema<{ readonly [name in N]?: T }> {
  const members: Known<T> = new Map(names.map((name) => [name, schemaOf(name)]));
  return naming(
    ofObject({ kind: 'members', members }, (given, at) => {
      const further = Object.keys(given).filter((name): name is N => !members.has(name) && others?.test(name) === true);
      const known: Known<T> = new Map([...members, ...further.map((name) => [name, schemaOf(name)] as const)]);
      const some = Object.keys(given).filter((name) => known.has(name));
      return readKnown(known, some, given, at) as { readonly [name in N]?: T };
    }),
  );
}

/** Like the given schema, but rejects an object without members, which would have no effect. */
export function naming<T>(schema: Schema<T>): Schema<T> {
  return {
    ...schema,
    read: (raw, at) =>
      isObject(raw) && Object.keys(raw).length === 0 ? at.refuse('names nothing') : schema.read(raw, at),
  };
}

/** One of several objects. The member `tag` of each is a choice that selects it. */
export function variants<S extends Schema<unknown>>(tag: string, schemas: readonly S[]): Schema<Read<S>> {
  const members = schemas.map(({ below }): Known => (below.kind === 'members' ? below.members : new Map()));
  const tagged = new Map(
    schemas.flatMap((schema, index) => (members[index]?.get(tag)?.words ?? []).map((word) => [word, schema] as const)),
  );
  const words = choice(...tagged.keys());
  return ofObject({ kind: 'members', members: new Map(members.flatMap((each) => [...each])) }, (given, at) => {
    const word = words.read(given[tag] ?? null, at.member(tag));
    return word === undefined ? undefined : (tagged.get(word)?.read(given, at) as Read<S> | undefined);
  });
}

/** One of two objects, selected by the presence of a member. */
export function byMember<A, B>(name: string, having: Schema<A>, lacking: Schema<B>): Schema<A | B> {
  const members = [having, lacking].flatMap(({ below }) => (below.kind === 'members' ? [...below.members] : []));
  return ofObject<A | B>({ kind: 'members', members: new Map(members) }, (given, at) =>
    (given[name] === undefined ? lacking : having).read(given, at),
  );
}

/** An object whose member names are free, within a pattern. */
export function entries<T>(name: RegExp, entry: Schema<T>): Schema<Readonly<Record<string, T>>> {
  return ofObject({ kind: 'entries', entry }, (given, at) => {
    const read = (key: string) =>
      name.test(key) ? entry.read(given[key], at.member(key)) : at.member(key).refuse('is not a name');
    return recordOf(Object.keys(given), read) as Record<string, T>;
  });
}

/** A list. `demands`: it must not be empty (which would have no effect), or must have no duplicates. */
export function list<T>(item: Schema<T>, ...demands: readonly ('filled' | 'distinct')[]): Schema<readonly T[]> {
  return {
    spelling: 'json',
    below: { kind: 'items', item },
    nullable: false,
    read(raw, at) {
      if (raw === undefined) return at.refuse('is missing');
      if (!isList(raw)) return at.refuse('must be a list');
      if (demands.includes('filled') && raw.length === 0) return at.refuse('must not be empty');
      const values = at.unlessRefused(() => raw.map((each, index) => item.read(each, at.member(index)) as T));
      return values !== undefined && demands.includes('distinct') && hasRepeated(values)
        ? at.refuse('repeats an item')
        : values;
    },
  };
}

function ofObject<T>(below: Below, read: (given: JsonObject, at: Place) => T | undefined): Schema<T> {
  return {
    spelling: 'json',
    below,
    nullable: false,
    read(raw, at) {
      if (raw === undefined) return at.refuse('is missing');
      return isObject(raw) ? at.unlessRefused(() => read(raw, at)) : at.refuse('must be an object');
    },
  };
}

/** Most unknown keys that are named, so that a sender cannot cause much work. */
const NAMED_KEYS = 20;

/** Reads these known members, and rejects unknown ones. */
function readKnown(known: Known, names: readonly string[], given: JsonObject, at: Place): object {
  const unknown = Object.keys(given).filter((name) => !known.has(name));
  for (const name of unknown.slice(0, NAMED_KEYS)) at.member(name).refuse(unknownKey(name, [...known.keys()]));
  if (unknown.length > NAMED_KEYS) at.refuse(`has ${unknown.length - NAMED_KEYS} more unknown keys`);
  return recordOf(names, (name) => known.get(name)?.read(given[name], at.member(name)));
}

/** Suggests the nearest known key, else all of them. */
function unknownKey(name: string, known: readonly string[]): string {
  return `unknown key; ${meantOr(name, known, `there ${known.length === 1 ? 'is' : 'are'} ${known.join(', ')}`)}`;
}

/** An object without prototype, so that no name is special. */
function recordOf(names: readonly string[], read: (name: string) => unknown): Record<string, unknown> {
  const record: Record<string, unknown> = Object.create(null);
  for (const name of names) record[name] = read(name);
  return record;
}

export function isList(raw: JsonValue): raw is readonly JsonValue[] {
  return Array.isArray(raw);
}

function hasRepeated(values: readonly unknown[]): boolean {
  return new Set(values.map((value) => JSON.stringify(value))).size < values.length;
}

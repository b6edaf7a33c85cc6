import type { JsonObject, JsonValue } from '../model/json.js';
import { listedNames, nearNames } from '../model/names-in-messages.js';
import { type PolicyProblem, schemaProblem } from './policy-problem.js';

/** A place in a document, and the list that takes what is wrong there. */
export class Place {
  readonly #pointer: string;
  readonly #problems: PolicyProblem[];

  constructor(pointer: string, problems: PolicyProblem[]) {
    this.#pointer = pointer;
    this.#problems = problems;
  }

  member(name: string): Place {
    const token = name.replaceAll('~', '~0').replaceAll('/', '~1');
    return new Place(`${this.#pointer}/${token}`, this.#problems);
  }

  /** Notes a problem. Returns undefined, which is what a reader then returns. */
  refuse(what: string): undefined {
    this.#problems.push(schemaProblem(this.#pointer, what));
    return undefined;
  }
}

/** Turns a value as read into a T. Where it is none, says so at its place and returns undefined. */
export interface Reader<T> {
  (value: JsonValue, at: Place): T | undefined;
  /** What it reads inside of the value: this is how the grammar lists its own members. Absent: the value as a whole. */
  readonly inside?: Inside;
}

export type Inside =
  | { readonly kind: 'members'; readonly members: ReadonlyMap<string, Reader<unknown>> }
  | { readonly kind: 'items'; readonly item: Reader<unknown> };

function readerOf<T>(read: (value: JsonValue, at: Place) => T | undefined, inside: Inside | undefined): Reader<T> {
  return inside === undefined ? read : Object.assign(read, { inside });
}

/** As the reader given, with what it read turned into something else, or refused. */
export function refined<A, B>(read: Reader<A>, refine: (value: A, at: Place) => B | undefined): Reader<B> {
  return readerOf((value, at) => {
    const found = read(value, at);
    return found === undefined ? undefined : refine(found, at);
  }, read.inside);
}

/** A member of an object: how it is read, and what stands for it where it is absent; null: it must be there. */
export interface Member<T> {
  readonly read: Reader<T>;
  readonly absent: { readonly value: T } | null;
}

export function required<T>(read: Reader<T>): Member<T> {
  return { read, absent: null };
}

export function optional<T>(read: Reader<T>, value: T): Member<T> {
  return { read, absent: { value } };
}

export function optionalOrNull<T>(read: Reader<T>): Member<T | null> {
  return { read, absent: { value: null } };
}

/** An object with exactly these members. Every one is read, also after one was refused. */
export function object<T extends object>(members: { readonly [K in keyof T]: Member<T[K]> }): Reader<T> {
  const known = new Map<string, Member<unknown>>(Object.entries<Member<unknown>>(members));
  return readerOf(
    (value, at) => {
      if (!isObject(value)) return at.refuse('must be an object');
      const unknown = Object.keys(value).filter((name) => !known.has(name));
      for (const name of unknown) at.member(name).refuse(unknownMember(name, known));
      const read = [...known].map(([name, member]) => [name, readMember(value, name, member, at)] as const);
      if (unknown.length > 0 || read.some(([, result]) => result === REFUSED)) return undefined;
      return Object.fromEntries(read) as T;
    },
    membersOf([...known].map(([name, { read }]) => [name, read])),
  );
}

function membersOf(readers: readonly (readonly [name: string, read: Reader<unknown>])[]): Inside {
  return { kind: 'members', members: new Map(readers) };
}

/** The nearest of the members that there are, else all. */
function unknownMember(name: string, known: ReadonlyMap<string, unknown>): string {
  const names = [...known.keys()];
  const [near] = nearNames(name, names);
  const all = `there ${names.length === 1 ? 'is' : 'are'} ${listedNames(names)}`;
  return `is no member of this object; ${near === undefined ? all : `did you mean ${near}?`}`;
}

const REFUSED = Symbol('refused');

function readMember(value: JsonObject, name: string, member: Member<unknown>, at: Place): unknown {
  const found = value[name];
  if (found !== undefined) {
    const read = member.read(found, at.member(name));
    return read === undefined ? REFUSED : read;
  }
  if (member.absent !== null) return member.absent.value;
  at.member(name).refuse('is missing');
  return REFUSED;
}

/** An object whose members are some of these, at least one. What is absent stays absent. */
export function someOf<N extends string, T>(
  names: readonly N[],
  readerFor: (name: N) => Reader<T>,
): Reader<{ readonly [name in N]?: T }> {
  const known = new Map<string, Reader<T>>(names.map((name) => [name, readerFor(name)]));
  const read = readerOf<{ readonly [name in N]?: T }>(
    (value, at) => {
      if (!isObject(value)) return at.refuse('must be an object');
      const found = Object.entries(value).map(([name, member]) => {
        const place = at.member(name);
        const reader = known.get(name);
        return [name, reader === undefined ? place.refuse(unknownMember(name, known)) : reader(member, place)] as const;
      });
      if (found.some(([, result]) => result === undefined)) return undefined;
      return Object.fromEntries(found) as { readonly [name in N]?: T };
    },
    membersOf([...known]),
  );
  return naming(read);
}

/** As the reader given, but an object without members is refused: a list of nothing asks for nothing. */
export function naming<T>(read: Reader<T>): Reader<T> {
  return readerOf(
    (value, at) => (isObject(value) && Object.keys(value).length === 0 ? at.refuse('names nothing') : read(value, at)),
    read.inside,
  );
}

export function listOf<T>(read: Reader<T>): Reader<readonly T[]> {
  return readerOf(
    (value, at) => {
      if (!isList(value)) return at.refuse('must be a list');
      const items = value.map((item, index) => read(item, at.member(String(index))));
      const good = items.filter((item) => item !== undefined);
      return good.length === items.length ? good : undefined;
    },
    { kind: 'items', item: read },
  );
}

/** A list of alternatives or demands: empty it would hold nothing, and look as if it did. */
export function nonEmptyListOf<T>(read: Reader<T>): Reader<readonly T[]> {
  const readList = listOf(read);
  return readerOf(
    (value, at) => (isList(value) && value.length === 0 ? at.refuse('must not be empty') : readList(value, at)),
    readList.inside,
  );
}

export function oneOf<const T extends string>(words: readonly T[]): Reader<T> {
  return (value, at) => words.find((word) => word === value) ?? at.refuse(`must be one of ${words.join(', ')}`);
}

export function textLike(pattern: RegExp, what: string): Reader<string> {
  return (value, at) => (typeof value === 'string' && pattern.test(value) ? value : at.refuse(`must be ${what}`));
}

/** Hex of this many bytes, in either case; kept in lower case. */
export function hexOf(bytes: number): Reader<string> {
  const form = new RegExp(`^[0-9a-fA-F]{${2 * bytes}}$`);
  return refined(textLike(form, `${bytes} bytes in hex, in quotes`), (text) => text.toLowerCase());
}

export function integerFrom(least: number, most: number): Reader<number> {
  return (value, at) =>
    typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most
      ? value
      : at.refuse(`must be an integer from ${least} to ${most}`);
}

/** The word `any`, said out loud, or what else it may be. */
export function anyOr<T>(read: Reader<T>): Reader<T | 'any'> {
  return readerOf((value, at) => (value === 'any' ? value : read(value, at)), read.inside);
}

export const yesOrNo: Reader<boolean> = (value, at) =>
  typeof value === 'boolean' ? value : at.refuse('must be true or false');

export const someText: Reader<string> = textLike(/\S/, 'a text that is not blank');

/** A day as `YYYY-MM-DD` that is in the calendar. */
export const day: Reader<string> = (value, at) =>
  typeof value === 'string' && startOfDay(value)?.toISOString().slice(0, 10) === value
    ? value
    : at.refuse('must be a date as YYYY-MM-DD');

function startOfDay(text: string): Date | null {
  const start = new Date(`${text}T00:00:00Z`);
  return Number.isNaN(start.getTime()) ? null : start;
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !isList(value);
}

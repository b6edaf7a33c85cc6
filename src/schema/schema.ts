import type { JsonValue } from '../core/json.js';

/** The place in a document: names of members, and indices of items. */
export type Path = readonly (string | number)[];

/** A problem in a document. Each kind of document formats its places differently. */
export interface Problem {
  readonly path: Path;
  /** Lower case, without period. */
  readonly what: string;
}

/** A place in a document, with the list of its problems. */
export class Place {
  readonly path: Path;
  readonly problems: Problem[];

  constructor(path: Path = [], problems: Problem[] = []) {
    this.path = path;
    this.problems = problems;
  }

  member(...names: Path): Place {
    return new Place([...this.path, ...names], this.problems);
  }

  /** Adds a problem. Returns undefined, which a reader then returns too. */
  refuse(what: string): undefined {
    this.problems.push({ path: this.path, what });
    return undefined;
  }

  /** The value, or undefined if a part of it is refused. */
  unlessRefused<T>(read: () => T): T | undefined {
    const before = this.problems.length;
    const value = read();
    return this.problems.length === before ? value : undefined;
  }

  /** The same place with a separate list, for a read whose failure is ignored. */
  onTrial(): Place {
    return new Place(this.path);
  }
}

/** The children of a value: nothing, members by name, entries under free names, or items. */
export type Below =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'members'; readonly members: ReadonlyMap<string, Schema<unknown>> }
  | { readonly kind: 'entries'; readonly entry: Schema<unknown> }
  | { readonly kind: 'items'; readonly item: Schema<unknown> };

/** One value of a document: its children, and its reader. */
export interface Schema<T> {
  /** Its form in an environment variable: the plain text, or JSON. */
  readonly spelling: 'text' | 'json';
  readonly below: Below;
  /** The expectation in words; absent if the children describe it. */
  readonly what?: string;
  /** All possible values, if it is one of some words. */
  readonly words?: readonly string[];
  /** Whether `null` is a value. */
  readonly nullable: boolean;
  /** The default value; undefined if the member is required. */
  readonly fallback?: T;
  /**
   * Converts a value to a T, which is never undefined. For an invalid value, adds a problem at its place and returns undefined.
   *
   * @param raw undefined if the value is absent
   */
  read(raw: JsonValue | undefined, at: Place): T | undefined;
}

/** The result of a schema. Types of documents are derived with it, so that only the schema lists the members. */
export type Read<S> = S extends Schema<infer T> ? T : never;

export const NOTHING_BELOW: Below = { kind: 'nothing' };

/** An optional value, with its default. */
export function optional<T>(schema: Schema<T>, absent: NoInfer<T>): Schema<T>;
export function optional<T>(schema: Schema<T>, absent: null): Schema<T | null>;
export function optional<T>(schema: Schema<T>, absent: T | null): Schema<T | null> {
  return {
    ...schema,
    fallback: absent,
    read: (raw, at) => (raw === undefined ? absent : schema.read(raw, at)),
  };
}

/** A value that may be null, and defaults to null. */
export function orNull<T>(schema: Schema<T>): Schema<T | null> {
  return {
    ...optional(schema, null),
    nullable: true,
    read: (raw, at) => (raw === undefined || raw === null ? null : schema.read(raw, at)),
  };
}

/** Converts a valid value to another form, or rejects it by its content. */
export function refined<A, B>(schema: Schema<A>, refine: (value: A, at: Place) => B | undefined): Schema<B> {
  const { fallback: _, ...rest } = schema;
  return {
    ...rest,
    read(raw, at) {
      const value = schema.read(raw, at);
      return value === undefined ? undefined : refine(value, at);
    },
  };
}

/**
 * The first of two schemas that a value matches. `what` describes both. If the value has the shape of the second one, a list or an
 * object, the problems inside it are reported.
 */
export function either<A, B>(what: string, first: Schema<A>, second: Schema<B>): Schema<A | B> {
  return {
    spelling: first.spelling === 'text' && second.spelling === 'text' ? 'text' : 'json',
    below: second.below,
    what,
    nullable: false,
    read(raw, at) {
      if (raw === undefined) return at.refuse('is missing');
      const value = first.read(raw, at.onTrial());
      if (value !== undefined) return value;
      if (hasShapeOf(second.below, raw)) return second.read(raw, at);
      return second.read(raw, at.onTrial()) ?? at.refuse(`must be ${what}`);
    },
  };
}

function hasShapeOf(below: Below, raw: JsonValue): boolean {
  if (typeof raw !== 'object' || raw === null || below.kind === 'nothing') return false;
  return Array.isArray(raw) === (below.kind === 'items');
}

/** A value that is set as a whole: its parts have no names of their own. */
export function whole<T>(schema: Schema<T>): Schema<T> {
  return { ...schema, below: NOTHING_BELOW };
}

/** Freezes a document: callers share it. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}

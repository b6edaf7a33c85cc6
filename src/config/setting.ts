import { nearNames } from '../model/names-in-messages.js';

/** What reading a value came to: the value, or everything that is wrong with it, each as `place: what`. */
export type Reading<T> = { readonly value: T } | { readonly problems: readonly string[] };

/** What stands below a setting: nothing, members by name, entries under free names, or items. */
export type Below =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'members'; readonly members: ReadonlyMap<string, Setting<unknown>> }
  | { readonly kind: 'entries'; readonly entry: Setting<unknown> }
  | { readonly kind: 'items'; readonly item: Setting<unknown> };

/** One value of the configuration: how it is written, what stands below it, and how it is read. */
export interface Setting<T> {
  /** How an environment variable spells it: the text as it is, or JSON. */
  readonly spelling: 'text' | 'json';
  readonly below: Below;
  /** What it must be, in words; absent where what stands below says so. */
  readonly what?: string;
  /** Whether `null` is a value. */
  readonly nullable: boolean;
  /** What holds where nothing is given; undefined where something must be. */
  readonly fallback?: T;
  /** @param raw the value as YAML or JSON gave it, undefined where it is absent */
  read(raw: unknown, place: string): Reading<T>;
}

const NOTHING: Below = { kind: 'nothing' };

/** What the whole document is called, which has no place. */
export const WHOLE_DOCUMENT = 'configuration';

/** `place: what`, where the place of the whole document has no name. */
export function problemAt<T>(place: string, what: string): Reading<T> {
  return { problems: [`${place === '' ? WHOLE_DOCUMENT : place}: ${what}`] };
}

/** A place one level further in. */
export function placeIn(place: string, name: string): string {
  return place === '' ? name : `${place}.${name}`;
}

/** A single value. `read` returns undefined where the value is not what `what` says. */
export function single<T>(spelling: 'text' | 'json', what: string, read: (raw: unknown) => T | undefined): Setting<T> {
  return {
    spelling,
    below: NOTHING,
    what,
    nullable: false,
    read(raw, place) {
      const value = raw === undefined ? undefined : read(raw);
      if (value !== undefined) return { value };
      const isQuoted = typeof raw === 'string' && spelling === 'json' && read(unquoted(raw)) !== undefined;
      return problemAt(
        place,
        raw === undefined ? 'is missing' : `must be ${what}${isQuoted ? ', without quotes' : ''}`,
      );
    },
  };
}

/** What text would be without quotes: a number, true or false. */
function unquoted(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  return text.trim() === '' ? undefined : Number(text);
}

export function withDefault<T>(setting: Setting<T>, fallback: NoInfer<T>): Setting<T> {
  return {
    ...setting,
    fallback,
    read: (raw, place) => (raw === undefined ? { value: fallback } : setting.read(raw, place)),
  };
}

/** A value that holds in another form than it is written in. */
export function mapped<T>(setting: Setting<T>, map: (value: T) => T): Setting<T> {
  return {
    ...setting,
    read(raw, place) {
      const reading = setting.read(raw, place);
      return 'value' in reading ? { value: map(reading.value) } : reading;
    },
  };
}

/** A value that may be null, and is where it is absent. */
export function orNull<T>(setting: Setting<T>): Setting<T | null> {
  return {
    ...setting,
    nullable: true,
    fallback: null,
    read: (raw, place) => (raw === undefined || raw === null ? { value: null } : setting.read(raw, place)),
  };
}

/** The first of two settings that the value fits. `what` says both for people; of a list they are told what is wrong in it. */
export function either<A, B>(what: string, first: Setting<A>, second: Setting<B>): Setting<A | B> {
  const spelling = first.spelling === 'text' && second.spelling === 'text' ? 'text' : 'json';
  return {
    spelling,
    below: second.below,
    what,
    nullable: false,
    read(raw, place) {
      if (raw === undefined) return problemAt(place, 'is missing');
      const one = first.read(raw, place);
      if ('value' in one) return one;
      const other = second.read(raw, place);
      const isListed = second.below.kind === 'items' && Array.isArray(raw);
      return 'value' in other || isListed ? other : problemAt(place, `must be ${what}`);
    },
  };
}

/** A list without repeated items. */
export function list<T>(item: Setting<T>, options: { readonly atLeastOne?: boolean } = {}): Setting<readonly T[]> {
  return {
    spelling: 'json',
    below: { kind: 'items', item },
    nullable: false,
    read(raw, place) {
      if (raw === undefined) return problemAt(place, 'is missing');
      if (!Array.isArray(raw)) return problemAt(place, 'must be a list');
      if (options.atLeastOne === true && raw.length === 0) return problemAt(place, 'must not be empty');
      const readings = raw.map((each, index) => item.read(each, `${place}[${index}]`));
      return inOrder(readings, (values) =>
        hasRepeated(values) ? problemAt(place, 'repeats an item') : { value: values },
      );
    },
  };
}

type Members<T> = { readonly [K in keyof T]-?: Setting<T[K]> };

/** An object with known members; any other member is a problem. Absent, it is read as empty. */
export function object<T extends object>(members: Members<T>): Setting<T> {
  const known = new Map<string, Setting<unknown>>(Object.entries<Setting<unknown>>(members));
  return {
    spelling: 'json',
    below: { kind: 'members', members: known },
    nullable: false,
    read(raw, place) {
      if (raw !== undefined && !isRecord(raw)) return problemAt(place, 'must be an object');
      const given = new Map(Object.entries(raw ?? {}));
      const unknown = [...given.keys()]
        .filter((name) => !known.has(name))
        .map((name) => `${placeIn(place, name)}: ${unknownKey(name, [...known.keys()])}`);
      const readings = [...known].map(([name, setting]) => setting.read(given.get(name), placeIn(place, name)));
      if (unknown.length > 0) readings.push({ problems: unknown });
      const names = [...known.keys()];
      // The members are those of T, each read by the setting of its own type.
      return inOrder(readings, (values) => ({ value: recordOf(names, values) as T }));
    },
  };
}

/**
 * One of several objects, which its member `kind` names. A word alone is the object of that kind that says nothing
 * else.
 */
export function kinds<T extends { readonly kind: string }>(
  kindSettings: ReadonlyMap<T['kind'], Setting<T>>,
): Setting<T> {
  const names = [...kindSettings.keys()];
  return {
    spelling: 'json',
    below: NOTHING,
    nullable: false,
    read(raw, place) {
      if (raw === undefined) return problemAt(place, 'is missing');
      const given = typeof raw === 'string' ? { kind: raw } : raw;
      if (!isRecord(given)) return problemAt(place, 'must be an object, or the name of its kind');
      const kind = names.find((name) => name === given['kind']);
      const setting = kind === undefined ? undefined : kindSettings.get(kind);
      return setting?.read(given, place) ?? problemAt(placeIn(place, 'kind'), `must be ${names.join(' or ')}`);
    },
  };
}

/** The nearest key that there is, else all of them. */
function unknownKey(name: string, known: readonly string[]): string {
  const [near] = nearNames(name, known);
  return `unknown key; ${near === undefined ? `there are ${known.join(', ')}` : `did you mean ${near}?`}`;
}

/** A value that the environment gives as a whole: its members have no names of their own there. */
export function whole<T>(setting: Setting<T>): Setting<T> {
  return { ...setting, below: NOTHING };
}

/** An object whose member names the operator chooses. */
export function entries<T>(name: RegExp, entry: Setting<T>): Setting<Readonly<Record<string, T>>> {
  return {
    spelling: 'json',
    below: { kind: 'entries', entry },
    nullable: false,
    read(raw, place) {
      if (raw === undefined) return problemAt(place, 'is missing');
      if (!isRecord(raw)) return problemAt(place, 'must be an object');
      const given = Object.entries(raw);
      const readings = given.map(([key, value]) =>
        name.test(key) ? entry.read(value, placeIn(place, key)) : problemAt<T>(placeIn(place, key), 'is not a name'),
      );
      return inOrder(readings, (values) => ({
        value: recordOf(
          given.map(([key]) => key),
          values,
        ),
      }));
    },
  };
}

function inOrder<T, R>(readings: readonly Reading<T>[], build: (values: readonly T[]) => Reading<R>): Reading<R> {
  const values: T[] = [];
  const problems: string[] = [];
  for (const reading of readings) {
    if ('value' in reading) values.push(reading.value);
    else problems.push(...reading.problems);
  }
  return problems.length > 0 ? { problems } : build(values);
}

/** An object without prototype, so that no name has a meaning of its own. */
function recordOf<T>(names: readonly string[], values: readonly T[]): Record<string, T> {
  const record: Record<string, T> = Object.create(null);
  names.forEach((name, index) => {
    record[name] = values[index] as T;
  });
  return record;
}

function hasRepeated(values: readonly unknown[]): boolean {
  return new Set(values.map((value) => JSON.stringify(value))).size < values.length;
}

export function isRecord(raw: unknown): raw is Record<string, unknown> {
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw);
}

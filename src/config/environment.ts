import { nearNames } from '../model/names-in-messages.js';
import type { Reading, Setting } from './setting.js';
import { isRecord, placeIn, problemAt } from './setting.js';
import { parseYaml } from './yaml-text.js';

const PREFIX = 'VERITEE__';

/** Environment variables by name; other names than `VERITEE__…` are not looked at. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A tree with the values of the environment in it, and what is wrong with those that could not be put there. */
export interface Overlaid {
  readonly tree: unknown;
  readonly problems: readonly string[];
  /** Names of the variables, by the places of the values that they gave. */
  readonly origins: ReadonlyMap<string, string>;
}

/** Puts each variable in the place of the value of its key. The more precise of two names wins. */
export function overlayEnvironment(tree: unknown, environment: Environment, schema: Setting<unknown>): Overlaid {
  const problems: string[] = [];
  const origins = new Map<string, string>();
  let overlaid = tree;
  for (const { name, segments, spelled } of variablesOf(environment)) {
    const found = findSetting(schema, segments);
    if ('unknown' in found) {
      problems.push(`${name}: ${found.unknown}`);
      continue;
    }
    const reading = readSpelled(found.setting, spelled, name);
    if ('value' in reading) {
      overlaid = withValue(overlaid, found.path, reading.value);
      origins.set(found.path.reduce(placeIn, ''), name);
    } else problems.push(...reading.problems);
  }
  return { tree: overlaid, problems, origins };
}

/** `tokenLeewaySeconds` as `TOKEN_LEEWAY_SECONDS`. */
export function environmentSegment(member: string): string {
  return member.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

interface Variable {
  readonly name: string;
  readonly segments: readonly string[];
  readonly spelled: string;
}

function variablesOf(environment: Environment): readonly Variable[] {
  return Object.entries(environment)
    .flatMap(([name, spelled]) =>
      name.startsWith(PREFIX) && spelled !== undefined
        ? [{ name, segments: name.slice(PREFIX.length).split('__'), spelled }]
        : [],
    )
    .sort((a, b) => a.segments.length - b.segments.length || (a.name < b.name ? -1 : 1));
}

interface Found {
  readonly path: readonly string[];
  readonly setting: Setting<unknown>;
}

/** The setting of a key, or what is said of a name that is none. */
function findSetting(schema: Setting<unknown>, segments: readonly string[]): Found | { readonly unknown: string } {
  const path: string[] = [];
  let setting = schema;
  for (const [index, segment] of segments.entries()) {
    const next = step(setting, segment);
    if (next === null) return { unknown: `unknown key; ${hint(schema, setting, segments, index)}` };
    path.push(next.name);
    setting = next.setting;
  }
  return { path, setting };
}

/** Names whole variables, so that the right one can be copied. */
function hint(
  schema: Setting<unknown>,
  { below }: Setting<unknown>,
  segments: readonly string[],
  index: number,
): string {
  const variable = (...names: readonly string[]) => PREFIX + names.join('__');
  const before = segments.slice(0, index);
  const meant = allVariables(schema).find((name) => letters(name) === letters(variable(...segments)));
  if (meant !== undefined) return `did you mean ${meant}?`;
  if (below.kind === 'entries')
    return 'names here are capital letters and digits, with single underscores between them';
  if (below.kind !== 'members') return `${variable(...before)} is given as a whole`;
  const known = [...below.members.keys()].map(environmentSegment);
  const [near] = nearNames(segments[index] ?? '', known);
  if (near !== undefined) return `did you mean ${variable(...before, near, ...segments.slice(index + 1))}?`;
  return `there are ${known.map((name) => variable(...before, name)).join(', ')}`;
}

/** Capitals and underscores are what people get wrong. */
function letters(name: string): string {
  return name.replaceAll('_', '').toUpperCase();
}

/** Every variable but those about what the operator names. */
function allVariables({ below }: Setting<unknown>, before = PREFIX): readonly string[] {
  if (below.kind !== 'members') return [];
  return [...below.members].flatMap(([member, setting]) => {
    const name = before + environmentSegment(member);
    return [name, ...allVariables(setting, `${name}__`)];
  });
}

function step({ below }: Setting<unknown>, segment: string): { name: string; setting: Setting<unknown> } | null {
  if (below.kind === 'entries') {
    return /^[A-Z0-9]+(_[A-Z0-9]+)*$/.test(segment) ? { name: camelCase(segment), setting: below.entry } : null;
  }
  if (below.kind !== 'members') return null;
  for (const [name, setting] of below.members) {
    if (environmentSegment(name) === segment) return { name, setting };
  }
  return null;
}

function camelCase(segment: string): string {
  return segment.toLowerCase().replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function readSpelled(setting: Setting<unknown>, spelled: string, name: string): Reading<unknown> {
  if (setting.spelling === 'text') return { value: setting.nullable && spelled === 'null' ? null : spelled };
  try {
    JSON.parse(spelled);
  } catch {
    return problemAt(name, `must be ${setting.what ?? inJson(setting)}`);
  }
  // JSON is YAML, and JSON.parse would let the last of two equal keys win.
  return parseYaml(spelled, name);
}

function inJson({ below }: Setting<unknown>): string {
  if (below.kind === 'items') return 'a list in JSON, such as ["a", "b"]';
  return 'JSON, such as {"key": "value"}';
}

function withValue(tree: unknown, path: readonly string[], value: unknown): unknown {
  const [name, ...further] = path;
  if (name === undefined) return value;
  // Something that is no object stays, so that reading it says so.
  if (tree !== undefined && !isRecord(tree)) return tree;
  const inside = tree !== undefined && Object.hasOwn(tree, name) ? tree[name] : undefined;
  return { ...tree, [name]: withValue(inside, further, value) };
}

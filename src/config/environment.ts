import { isObject, type JsonValue } from '../core/json.js';
import { nearNames } from '../core/names-in-messages.js';
import { placeIn } from '../core/places.js';
import type { Schema } from '../schema/schema.js';
import { readYaml, type YamlProblem, type YamlText } from '../schema/yaml.js';

const PREFIX = 'VERITEE__';

/** Environment variables by name. Only those named `VERITEE__…` set anything. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A tree with the values of the environment in it, and what is wrong with those that could not be put there. */
export interface Overlaid {
  readonly tree: JsonValue;
  readonly problems: readonly string[];
  /** Names of the variables, by the places of the values that they gave. */
  readonly origins: ReadonlyMap<string, string>;
}

/** The problem of a YAML text of this name. */
function yamlProblems({ problems }: YamlText, name: string): readonly string[] {
  return problems.map((problem) => yamlProblemIn(problem, name));
}

/** @param name of the text; empty where that is known */
export function yamlProblemIn({ position, what }: YamlProblem, name: string): string {
  const at = position === null ? '' : `line ${position.line}, column ${position.column}`;
  const place = [name, at].filter((part) => part !== '').join(' ');
  return place === '' ? what : `${place}: ${what}`;
}

/** Puts each variable in the place of the value of its key. The more precise of two names wins. */
export function overlayEnvironment(tree: JsonValue, environment: Environment, schema: Schema<unknown>): Overlaid {
  const problems: string[] = [];
  const origins = new Map<string, string>();
  let overlaid = tree;
  for (const { name, segments, spelled } of variablesOf(environment)) {
    const found = findSetting(schema, segments);
    if ('unknown' in found) {
      problems.push(`${name}: ${found.unknown}`);
      continue;
    }
    const value = readSpelled(found.setting, spelled, name, problems);
    if (value === undefined) continue;
    overlaid = withValue(overlaid, found.path, value);
    origins.set(found.path.reduce(placeIn, ''), name);
  }
  return { tree: overlaid, problems, origins };
}

/** `tokenLeewaySeconds` as `TOKEN_LEEWAY_SECONDS`. */
export function environmentSegment(member: string): string {
  return member.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

/** A variable that sets nothing, and the one that is meant. */
export interface MistypedVariable {
  readonly name: string;
  readonly meant: string;
}

/** Variables named like those of keys, but with too few underscores at the beginning to be read. */
export function mistypedVariables(environment: Environment, schema: Schema<unknown>): readonly MistypedVariable[] {
  const known = new Map(allVariables(schema).map((name) => [letters(name), name]));
  return Object.keys(environment)
    .filter((name) => name.startsWith('VERITEE_') && !name.startsWith(PREFIX))
    .flatMap((name) => {
      const meant = known.get(letters(name));
      return meant === undefined ? [] : [{ name, meant }];
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
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
  readonly setting: Schema<unknown>;
}

/** The setting of a key, or what is said of a name that is none. */
function findSetting(schema: Schema<unknown>, segments: readonly string[]): Found | { readonly unknown: string } {
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
function hint(schema: Schema<unknown>, { below }: Schema<unknown>, segments: readonly string[], index: number): string {
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
function allVariables({ below }: Schema<unknown>, before = PREFIX): readonly string[] {
  if (below.kind !== 'members') return [];
  return [...below.members].flatMap(([member, setting]) => {
    const name = before + environmentSegment(member);
    return [name, ...allVariables(setting, `${name}__`)];
  });
}

function step({ below }: Schema<unknown>, segment: string): { name: string; setting: Schema<unknown> } | null {
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

/** Undefined where it cannot be read. */
function readSpelled(
  setting: Schema<unknown>,
  spelled: string,
  name: string,
  problems: string[],
): JsonValue | undefined {
  if (setting.spelling === 'text') return setting.nullable && spelled === 'null' ? null : spelled;
  try {
    JSON.parse(spelled);
  } catch {
    problems.push(`${name}: must be ${setting.what ?? inJson(setting)}`);
    return undefined;
  }
  // JSON is YAML, and JSON.parse would let the last of two equal keys win.
  const yaml = readYaml(spelled);
  problems.push(...yamlProblems(yaml, name));
  return yaml.problems.length > 0 ? undefined : yaml.value;
}

function inJson({ below }: Schema<unknown>): string {
  if (below.kind === 'items') return 'a list in JSON, such as ["a", "b"]';
  return 'JSON, such as {"key": "value"}';
}

function withValue(tree: JsonValue | undefined, path: readonly string[], value: JsonValue): JsonValue {
  const [name, ...further] = path;
  if (name === undefined) return value;
  // Something that is no object stays, so that reading it says so.
  if (tree !== undefined && !isObject(tree)) return tree;
  const inside = tree !== undefined && Object.hasOwn(tree, name) ? tree[name] : undefined;
  return { ...tree, [name]: withValue(inside, further, value) };
}

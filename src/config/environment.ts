import { isObject, type JsonValue } from '../core/json.js';
import { nearNames } from '../core/names-in-messages.js';
import { placeIn } from '../core/places.js';
import type { Schema } from '../schema/schema.js';
import { readYaml, type YamlProblem, type YamlText } from '../schema/yaml.js';

const PREFIX = 'VERITEE__';

/** Environment variables by name. Only variables named `VERITEE__…` are settings. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A tree with the values of the environment, and the problems of variables without a place in it. */
export interface Overlaid {
  readonly tree: JsonValue;
  readonly problems: readonly string[];
  /** Names of the variables, by the places of their values. */
  readonly origins: ReadonlyMap<string, string>;
}

/** The problem of a YAML text of this name. */
function yamlProblems({ problems }: YamlText, name: string): readonly string[] {
  return problems.map((problem) => yamlProblemIn(problem, name));
}

/** @param name of the text; empty if it is known */
export function yamlProblemIn({ position, what }: YamlProblem, name: string): string {
  const at = position === null ? '' : `line ${position.line}, column ${position.column}`;
  const place = [name, at].filter((part) => part !== '').join(' ');
  return place === '' ? what : `${place}: ${what}`;
}

/** Puts the value of each variable in the place of its key. The more specific of two names wins. */
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

/** A variable without effect, and the probably intended one. */
export interface MistypedVariable {
  readonly name: string;
  readonly meant: string;
}

/** Variables named like settings, but with too few leading underscores. */
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

/** Finds the setting of a key, or the message about an unknown name. */
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

/** Suggests whole variables, so that the user can copy them. */
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

/** Drops case and underscores, where most typos are. */
function letters(name: string): string {
  return name.replaceAll('_', '').toUpperCase();
}

/** Every variable, except those below names of the operator. */
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

/** Returns undefined if it cannot be read. */
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
  // JSON is YAML, but JSON.parse would accept duplicate keys, and use the last.
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
  // A value that is not an object stays, so that reading reports it.
  if (tree !== undefined && !isObject(tree)) return tree;
  const inside = tree !== undefined && Object.hasOwn(tree, name) ? tree[name] : undefined;
  return { ...tree, [name]: withValue(inside, further, value) };
}

import type { Reading, Setting } from './setting.js';
import { isRecord, problemAt } from './setting.js';
import { parseYaml } from './yaml-text.js';

const PREFIX = 'VERITEE__';

/** Environment variables by name; other names than `VERITEE__…` are not looked at. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A tree with the values of the environment in it, and what is wrong with those that could not be put there. */
export interface Overlaid {
  readonly tree: unknown;
  readonly problems: readonly string[];
}

/** Puts each variable in the place of the value of its key. The more precise of two names wins. */
export function overlayEnvironment(tree: unknown, environment: Environment, schema: Setting<unknown>): Overlaid {
  const problems: string[] = [];
  let overlaid = tree;
  for (const { name, segments, spelled } of variablesOf(environment)) {
    const found = findSetting(schema, segments);
    if (found === null) {
      problems.push(`${name}: unknown key`);
      continue;
    }
    const reading = readSpelled(found.setting, spelled, name);
    if ('value' in reading) overlaid = withValue(overlaid, found.path, reading.value);
    else problems.push(...reading.problems);
  }
  return { tree: overlaid, problems };
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

function findSetting(schema: Setting<unknown>, segments: readonly string[]): Found | null {
  const path: string[] = [];
  let setting = schema;
  for (const segment of segments) {
    const next = step(setting, segment);
    if (next === null) return null;
    path.push(next.name);
    setting = next.setting;
  }
  return { path, setting };
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
    return problemAt(name, 'must be JSON');
  }
  // JSON is YAML, and JSON.parse would let the last of two equal keys win.
  return parseYaml(spelled, name);
}

function withValue(tree: unknown, path: readonly string[], value: unknown): unknown {
  const [name, ...further] = path;
  if (name === undefined) return value;
  // Something that is no object stays, so that reading it says so.
  if (tree !== undefined && !isRecord(tree)) return tree;
  const inside = tree !== undefined && Object.hasOwn(tree, name) ? tree[name] : undefined;
  return { ...tree, [name]: withValue(inside, further, value) };
}

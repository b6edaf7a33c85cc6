import { readFile } from 'node:fs/promises';
import { ConfigurationError } from '../core/errors.js';
import { fileProblem } from '../core/file-problem.js';
import { isObject, type JsonValue } from '../core/json.js';
import { type PlacedProblem, placeIn } from '../core/places.js';
import { deepFreeze, Place, type Problem } from '../schema/schema.js';
import { readYaml, type YamlProblem, type YamlText } from '../schema/yaml.js';
import { CONFIGURATION_SCHEMA, type Configuration } from './configuration.js';
import { checkConsistency } from './consistency.js';
import { type Environment, overlayEnvironment, yamlProblemIn } from './environment.js';

export interface ConfigurationInput {
  /** Text of the configuration file; null: none, so defaults hold. */
  readonly text: string | null;
  /** Name of the file, for what is said of it. Left out, places are named without file and line. */
  readonly file?: string | undefined;
  /** The environment wins over the file. */
  readonly environment: Environment;
}

/**
 * Text of the configuration file.
 * @throws {ConfigurationError} where it cannot be read, or is not UTF-8
 */
export async function readConfigurationFile(path: string): Promise<string> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new ConfigurationError([`configuration file ${path}: ${fileProblem(cause)}`], { cause });
  });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ConfigurationError([`configuration file ${path}: is not UTF-8 text`], { cause });
  }
}

/**
 * Reads the whole configuration.
 * @returns deep-frozen
 * @throws {ConfigurationError} with everything that is wrong
 */
export function loadConfiguration(input: ConfigurationInput): Configuration {
  const { configuration, problems } = readConfiguration(input);
  if (configuration === null || problems.length > 0) throw new ConfigurationError(problems);
  return configuration;
}

/** The configuration, as far as it can be read. */
export interface ConfigurationReading {
  /** Deep-frozen, with defaults in the place of sections that are wrong; null where nothing can be said. */
  readonly configuration: Configuration | null;
  /** Everything that is wrong. The service does not start with any of it. */
  readonly problems: readonly PlacedProblem[];
  /** Names of the sections that are wrong. */
  readonly wrongSections: ReadonlySet<string>;
}

/** Reads the whole configuration, and goes on with what is right where something is wrong. */
export function readConfiguration({ text, file, environment }: ConfigurationInput): ConfigurationReading {
  const yaml = readYaml(text ?? '');
  const overlaid = overlayEnvironment(yaml.value ?? {}, environment, CONFIGURATION_SCHEMA);
  const place = new Place();
  const configuration = CONFIGURATION_SCHEMA.read(overlaid.tree, place);
  const unread = [
    ...yaml.problems.map((problem) => placedInFile(problem, file)),
    ...overlaid.problems.map((what) => ({ path: [], what })),
  ];
  // Consistency is checked once all values are known: a default in the place of a wrong one would mislead.
  if (configuration !== undefined && unread.length === 0) checkConsistency(configuration, place);
  const wrongSections = new Set(place.problems.map(({ path }) => String(path[0] ?? '')));
  const sound = configuration ?? readWithout(overlaid.tree, wrongSections);
  return {
    configuration: yaml.problems.length > 0 || sound === undefined ? null : deepFreeze(sound),
    problems: [...unread, ...place.problems.map((problem) => placed(problem, file, yaml, overlaid.origins))],
    wrongSections,
  };
}

/** Undefined where the tree is no object. */
function readWithout(tree: JsonValue, sections: ReadonlySet<string>): Configuration | undefined {
  const kept = isObject(tree) ? Object.entries(tree).filter(([name]) => !sections.has(name)) : null;
  return CONFIGURATION_SCHEMA.read(kept === null ? tree : Object.fromEntries(kept), new Place());
}

function placedInFile(problem: YamlProblem, file: string | undefined): PlacedProblem {
  const text = yamlProblemIn(problem, file ?? 'configuration file');
  return { path: problem.path ?? [], what: yamlProblemIn(problem, ''), text };
}

/** Says by which variable a value was given, or its surroundings where the file does not have those, or in which line it stands. */
function placed(
  { path, what }: Problem,
  file: string | undefined,
  yaml: YamlText,
  origins: ReadonlyMap<string, string>,
): PlacedProblem {
  const places = path.map((_, index) => path.slice(0, index + 1).reduce<string>(placeIn, '')).reverse();
  const place = places[0] ?? file ?? 'configuration';
  const given = places.find((outer) => origins.has(outer));
  if (given !== undefined) {
    const variable = origins.get(given);
    return {
      path,
      what: `${variable}: ${what}`,
      text: `${variable}: ${given === place ? '' : `${place}: `}${what}`,
    };
  }
  const around = variableAround(path, yaml, origins);
  if (around !== null) {
    const from = `${around.place} is from ${around.variable}`;
    return { path, what: `${what} (${from})`, text: `${place}: ${what} (${from})` };
  }
  const line = file === undefined ? null : yaml.lineOf(path);
  // A value that is absent from the file has no line: then the key alone is more precise.
  if (line === null) return { path, what, text: `${place}: ${what}` };
  return { path, what: `line ${line}: ${what}`, text: `${file} line ${line}: ${place}: ${what}` };
}

/** The innermost place around a value that only variables gave; null where there is none. */
function variableAround(
  path: Problem['path'],
  { value }: YamlText,
  origins: ReadonlyMap<string, string>,
): { readonly place: string; readonly variable: string } | null {
  for (let length = path.length - 1; length > 0; length--) {
    const outer = path.slice(0, length);
    if (isInTree(value, outer)) return null;
    const place = outer.reduce<string>(placeIn, '');
    const [found] = [...origins].filter(([given]) => given.startsWith(`${place}.`));
    if (found !== undefined) return { place, variable: found[1] };
  }
  return null;
}

function isInTree(tree: JsonValue | undefined, path: Problem['path']): boolean {
  let inner = tree;
  for (const step of path) {
    if (!isObject(inner) || typeof step !== 'string' || !Object.hasOwn(inner, step)) return false;
    inner = inner[step];
  }
  return true;
}

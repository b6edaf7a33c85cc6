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
  /** Text of the configuration file; null: no file, only defaults. */
  readonly text: string | null;
  /** Name of the file, for messages. If it is left out, messages have neither file nor line. */
  readonly file?: string | undefined;
  /** The environment, which overrides the file. */
  readonly environment: Environment;
}

/**
 * Reads the text of the configuration file.
 * @throws {ConfigurationError} if it cannot be read, or is not UTF-8
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
 * @throws {ConfigurationError} with all problems
 */
export function loadConfiguration(input: ConfigurationInput): Configuration {
  const { configuration, problems } = readConfiguration(input);
  if (configuration === null || problems.length > 0) throw new ConfigurationError(problems);
  return configuration;
}

/** The configuration, with all problems. */
export interface ConfigurationReading {
  /** Deep-frozen, with defaults instead of invalid sections; null if it cannot be read at all. */
  readonly configuration: Configuration | null;
  /** All problems. Each of them stops the start of the service. */
  readonly problems: readonly PlacedProblem[];
  /** Names of the invalid sections. */
  readonly wrongSections: ReadonlySet<string>;
}

/** Reads the whole configuration, and continues with the valid sections after a problem. */
export function readConfiguration({ text, file, environment }: ConfigurationInput): ConfigurationReading {
  const yaml = readYaml(text ?? '');
  const overlaid = overlayEnvironment(yaml.value ?? {}, environment, CONFIGURATION_SCHEMA);
  const place = new Place();
  const configuration = CONFIGURATION_SCHEMA.read(overlaid.tree, place);
  const unread = [
    ...yaml.problems.map((problem) => placedInFile(problem, file)),
    ...overlaid.problems.map((what) => ({ path: [], what })),
  ];
  // Consistency is only checked if all values are valid: a default instead of an invalid value would mislead.
  if (configuration !== undefined && unread.length === 0) checkConsistency(configuration, place);
  const wrongSections = new Set(place.problems.map(({ path }) => String(path[0] ?? '')));
  const sound = configuration ?? readWithout(overlaid.tree, wrongSections);
  return {
    configuration: yaml.problems.length > 0 || sound === undefined ? null : deepFreeze(sound),
    problems: [...unread, ...place.problems.map((problem) => placed(problem, file, yaml, overlaid.origins))],
    wrongSections,
  };
}

/** Returns undefined if the tree is not an object. */
function readWithout(tree: JsonValue, sections: ReadonlySet<string>): Configuration | undefined {
  const kept = isObject(tree) ? Object.entries(tree).filter(([name]) => !sections.has(name)) : null;
  return CONFIGURATION_SCHEMA.read(kept === null ? tree : Object.fromEntries(kept), new Place());
}

function placedInFile(problem: YamlProblem, file: string | undefined): PlacedProblem {
  const text = yamlProblemIn(problem, file ?? 'configuration file');
  return { path: problem.path ?? [], what: yamlProblemIn(problem, ''), text };
}

/** Adds the place of a problem: the variable of the value or of a parent, or the line in the file. */
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
  // A value outside the file has no line: then the key alone is more precise.
  if (line === null) return { path, what, text: `${place}: ${what}` };
  return { path, what: `line ${line}: ${what}`, text: `${file} line ${line}: ${place}: ${what}` };
}

/** The innermost parent that only variables set; null if there is none. */
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

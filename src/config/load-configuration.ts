import { ConfigurationError } from '../model/errors.js';
import type { Configuration } from './configuration.js';
import { consistencyProblems } from './consistency.js';
import type { Environment } from './environment.js';
import { overlayEnvironment } from './environment.js';
import { CONFIGURATION_SCHEMA } from './schema.js';
import { type Reading, WHOLE_DOCUMENT } from './setting.js';
import { readYaml, type YamlText } from './yaml-text.js';

export interface ConfigurationInput {
  /** Text of the configuration file; null: none, so defaults hold. */
  readonly text: string | null;
  /** Name of the file, for what is said of it. Left out, places are named without file and line. */
  readonly file?: string | undefined;
  /** The environment wins over the file. */
  readonly environment: Environment;
}

/**
 * Reads the whole configuration.
 * @returns deep-frozen
 * @throws {ConfigurationError} with everything that is wrong
 */
export function loadConfiguration({ text, file: name, environment }: ConfigurationInput): Configuration {
  const yaml = text === null ? null : readYaml(text, name ?? 'configuration file');
  const file = yaml?.reading ?? { value: null };
  const sayWhere = sayWhereIn(name === undefined ? null : { name, yaml });
  const overlaid = overlayEnvironment(treeOf(file) ?? {}, environment, CONFIGURATION_SCHEMA);
  const reading = CONFIGURATION_SCHEMA.read(overlaid.tree, '');
  const where = (problem: string) => sayWhere(problem, overlaid.origins);
  const problems = [...problemsOf(file), ...overlaid.problems, ...problemsOf(reading).map(where)];
  // What holds between values is looked at once all are known: a default in the place of a wrong one would mislead.
  if ('value' in reading && problems.length === 0) {
    problems.push(...consistencyProblems(reading.value).map(where));
    if (problems.length === 0) return deepFreeze(reading.value);
  }
  throw new ConfigurationError(problems);
}

/** Says of a problem, `place: what`, by which variable the value was given, or in which line of the file it stands. */
function sayWhereIn(file: { readonly name: string; readonly yaml: YamlText | null } | null) {
  return (problem: string, origins: ReadonlyMap<string, string>): string => {
    const place = problem.slice(0, problem.indexOf(': '));
    const given = [...origins.keys()]
      .filter((origin) => isWithin(place, origin))
      .sort((a, b) => b.length - a.length)[0];
    if (given !== undefined) {
      const variable = origins.get(given);
      return place === given ? `${variable}${problem.slice(place.length)}` : `${variable}: ${problem}`;
    }
    const line = file?.yaml?.lineOf(place) ?? null;
    // Unless it is a key of that name, which has a line.
    if (file !== null && line === null && place === WHOLE_DOCUMENT) return `${file.name}${problem.slice(place.length)}`;
    // What the file does not say may come from nowhere: then the key alone says more than the file.
    return file === null || line === null ? problem : `${file.name} line ${line}: ${problem}`;
  };
}

function isWithin(place: string, outer: string): boolean {
  return place === outer || place.startsWith(`${outer}.`) || place.startsWith(`${outer}[`);
}

function treeOf(reading: Reading<unknown>): unknown {
  return 'value' in reading ? reading.value : null;
}

function problemsOf(reading: Reading<unknown>): readonly string[] {
  return 'problems' in reading ? reading.problems : [];
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}

import { ConfigurationError } from '../model/errors.js';
import type { Configuration } from './configuration.js';
import { consistencyProblems } from './consistency.js';
import type { Environment } from './environment.js';
import { overlayEnvironment } from './environment.js';
import { CONFIGURATION_SCHEMA } from './schema.js';
import type { Reading } from './setting.js';
import { parseYaml } from './yaml-text.js';

export interface ConfigurationInput {
  /** Text of the configuration file; null: none, so defaults hold. */
  readonly text: string | null;
  /** The environment wins over the file. */
  readonly environment: Environment;
}

/**
 * Reads the whole configuration.
 * @returns deep-frozen
 * @throws {ConfigurationError} with everything that is wrong
 */
export function loadConfiguration({ text, environment }: ConfigurationInput): Configuration {
  const file: Reading<unknown> = text === null ? { value: null } : parseYaml(text, 'configuration file');
  const overlaid = overlayEnvironment(treeOf(file) ?? {}, environment, CONFIGURATION_SCHEMA);
  const reading = CONFIGURATION_SCHEMA.read(overlaid.tree, '');
  const problems = [...problemsOf(file), ...overlaid.problems, ...problemsOf(reading)];
  // What holds between values is looked at once all are known: a default in the place of a wrong one would mislead.
  if ('value' in reading && problems.length === 0) {
    problems.push(...consistencyProblems(reading.value));
    if (problems.length === 0) return deepFreeze(reading.value);
  }
  throw new ConfigurationError(problems);
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

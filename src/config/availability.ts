import { ConfigurationError } from '../model/errors.js';
import type { KeyPath, PlacedProblem } from '../model/places.js';
import type { Configuration } from './configuration.js';

/** Something that the grammar has and this version does not do. It loads, and is never ignored: the service does not start. */
interface Unavailable {
  readonly what: string;
  /** Places of the configuration that ask for it. */
  readonly asked: (configuration: Configuration) => readonly KeyPath[];
}

export const NOT_AVAILABLE: readonly Unavailable[] = [
  { what: 'callers with client certificates', asked: (c) => callersWith(c, 'mtls') },
];

/** Everything that a configuration asks for and this version does not do. */
export function unavailableKeys(configuration: Configuration): readonly PlacedProblem[] {
  return NOT_AVAILABLE.flatMap(({ what, asked }) =>
    asked(configuration).map((path) => ({ path, what: `${what}: not available in this version` })),
  );
}

/** @throws {ConfigurationError} with everything that the configuration asks for and this version does not do */
export function requireAvailable(configuration: Configuration): void {
  const problems = unavailableKeys(configuration);
  if (problems.length > 0) throw new ConfigurationError(problems);
}

function placeIf(path: KeyPath, asked: boolean): readonly KeyPath[] {
  return asked ? [path] : [];
}

function callersWith({ callers }: Configuration, kind: 'mtls'): readonly KeyPath[] {
  return Object.entries(callers).flatMap(([name, caller]) => placeIf(['callers', name, kind], caller[kind] !== null));
}

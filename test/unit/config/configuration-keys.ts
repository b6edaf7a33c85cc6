import { environmentSegment } from '../../../src/config/environment.js';
import type { Schema } from '../../../src/schema/schema.js';

/** A key as the documentation lists it. */
export interface ConfigurationKey {
  readonly key: string;
  /** Null inside lists, which are given as a whole. */
  readonly environment: string | null;
  /** JSON, or `required`. */
  readonly fallback: string;
}

/** Every key of a schema: values, lists and objects with free names, with what stands inside those. */
export function listKeys(
  schema: Schema<unknown>,
  key = '',
  environment: string | null = 'VERITEE',
): ConfigurationKey[] {
  const { below } = schema;
  if (below.kind === 'members') {
    return [...below.members].flatMap(([name, setting]) =>
      listKeys(
        setting,
        key === '' ? name : `${key}.${name}`,
        environment === null ? null : `${environment}__${environmentSegment(name)}`,
      ),
    );
  }
  const fallback = schema.fallback === undefined ? 'required' : JSON.stringify(schema.fallback);
  const own = [{ key, environment, fallback }];
  if (below.kind === 'entries') return [...own, ...listKeys(below.entry, `${key}.<name>`, `${environment}__<NAME>`)];
  const hasMembers = below.kind === 'items' && below.item.below.kind === 'members';
  return hasMembers ? [...own, ...listKeys(below.item, `${key}[]`, null)] : own;
}

/** Names of the environment for all keys but those of entries, whose names are free. */
export function environmentNames(schema: Schema<unknown>): string[] {
  return listKeys(schema).flatMap(({ environment }) =>
    environment === null || environment.includes('<NAME>') ? [] : [environment],
  );
}

import { createHash } from 'node:crypto';
import type { Configuration } from './configuration.js';

/** SHA-256 of the effective configuration, hex: two services that show the same one were configured alike. */
export function configurationDigest(configuration: Configuration): string {
  return createHash('sha256').update(JSON.stringify(configuration, inOrder)).digest('hex');
}

/** Members by name: the order in which callers are written makes no difference. */
function inOrder(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

import { readFile } from 'node:fs/promises';
import type { Clock } from '../core/ports.js';

/** The clock of the machine. */
export const SYSTEM_CLOCK: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
};

/** Version of the product, from package.json beside the built code. */
export async function productVersion(): Promise<string> {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  const { version }: { readonly version?: string } = JSON.parse(text);
  return version ?? 'unknown';
}

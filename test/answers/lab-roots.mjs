import { register } from 'node:module';
import { isMainThread } from 'node:worker_threads';

/**
 * Preloaded (`node --import`) into a service that judges evidence of the lab: wherever the digest of a vendor's root
 * key or a carried certificate stands in the compiled code, the lab's stands instead. No configuration can change those, and
 * this needs to know nothing else of the code. `ANSWERS_ROOTS` has pairs of digests in hex and of certificates, as JSON.
 */
let roots = [];

if (isMainThread) register(import.meta.url, { data: JSON.parse(process.env.ANSWERS_ROOTS) });

export function initialize(pairs) {
  roots = pairs;
}

export async function load(url, context, next) {
  const loaded = await next(url, context);
  if (loaded.format !== 'module' || url.includes('/node_modules/')) return loaded;
  const text = Buffer.from(loaded.source).toString('utf8');
  return { ...loaded, source: roots.reduce((changed, [real, lab]) => changed.replaceAll(real, lab), text) };
}

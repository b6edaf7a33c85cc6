import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/** The body of a thread of the store. */
export interface WorkerBody {
  readonly source: string | URL;
  /** Whether the source is a program itself, and no address of one. */
  readonly eval: boolean;
}

export const WORKER_BODY: WorkerBody = import.meta.url.endsWith('.js')
  ? { source: new URL('./worker.js', import.meta.url), eval: false }
  : fromSources();

/** As scripts run it: a thread does not inherit what reads TypeScript. */
function fromSources(): WorkerBody {
  const { href } = new URL('./worker.ts', import.meta.url);
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx/package.json'));
  const reader = new URL('./dist/esm/api/index.mjs', tsx).href;
  const source = `import('${reader}').then(({ register }) => { register(); return import('${href}'); })`;
  return { source, eval: true };
}

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/** The body of a thread of the store. */
export interface WorkerBody {
  readonly source: string | URL;
  /** Whether `source` is the program itself, not its address. */
  readonly eval: boolean;
}

export const WORKER_BODY: WorkerBody = import.meta.url.endsWith('.js')
  ? { source: new URL('./worker.js', import.meta.url), eval: false }
  : fromSources();

/** Starts the worker as scripts do: a thread does not inherit the TypeScript loader. */
function fromSources(): WorkerBody {
  const { href } = new URL('./worker.ts', import.meta.url);
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx/package.json'));
  const reader = new URL('./dist/esm/api/index.mjs', tsx).href;
  const source = `import('${reader}').then(({ register }) => { register(); return import('${href}'); })`;
  return { source, eval: true };
}

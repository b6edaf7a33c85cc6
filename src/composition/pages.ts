import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { PageFile, Pages } from '../http/routes/page-routes.js';
import type { Log } from '../model/ports.js';

/** Where the build puts the pages, as seen from src and from dist. */
const FOLDER = fileURLToPath(new URL('../../dist/inspector/', import.meta.url));

/** What a page belongs to. `inspector: false` leaves out the first. */
interface BuiltPage extends PageFile {
  readonly part: 'inspector' | 'documents';
}

/** The pages that were built beside the service. Without them it serves everything else, and the log says so. */
export function builtPages({ inspector }: { readonly inspector: boolean }, log: Log, folder = FOLDER): Pages {
  const files = listedPages(folder);
  if (files === null) log.warn({ folder }, 'the pages are not built (npm run build): none is served');
  return { folder, files: (files ?? []).filter(({ part }) => inspector || part !== 'inspector') };
}

function listedPages(folder: string): readonly BuiltPage[] | null {
  try {
    return JSON.parse(readFileSync(`${folder}/pages.json`, 'utf8')) as readonly BuiltPage[];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { PageFile, Pages } from '../http/routes/page-routes.js';
import { isObject } from '../model/json.js';
import type { Log } from '../model/ports.js';

/** Where the build puts the pages, as seen from src and from dist. */
const FOLDER = fileURLToPath(new URL('../../dist/inspector/', import.meta.url));

/** What a page belongs to. `inspector: false` leaves out the first. */
interface BuiltPage extends PageFile {
  readonly part: 'inspector' | 'documents';
}

/** The pages that were built beside the service. Without them it serves everything else, and the log says so: they judge nothing. */
export function builtPages({ inspector }: { readonly inspector: boolean }, log: Log, folder = FOLDER): Pages {
  return { folder, files: listedPages(folder, log).filter(({ part }) => inspector || part !== 'inspector') };
}

function listedPages(folder: string, log: Log): readonly BuiltPage[] {
  try {
    const listed: unknown = JSON.parse(readFileSync(`${folder}/pages.json`, 'utf8'));
    if (Array.isArray(listed) && listed.every(isBuiltPage)) return listed;
    log.warn({ folder }, 'pages.json is no list of pages, so that none is served: install the package or image again');
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (isMissing) log.warn({ folder }, 'the pages are not built (npm run build): none is served');
    else
      log.warn(
        { folder, err: error },
        'pages.json cannot be read, so that no page is served: install the package or image again',
      );
  }
  return [];
}

/** As scripts/pages/build.ts writes it. */
function isBuiltPage(value: unknown): value is BuiltPage {
  if (!isObject(value)) return false;
  const { path, file, lasting, part } = value;
  return (
    typeof path === 'string' &&
    // With another path, the service would not start.
    path.startsWith('/') &&
    typeof file === 'string' &&
    typeof lasting === 'boolean' &&
    (part === 'inspector' || part === 'documents')
  );
}

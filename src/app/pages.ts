import { readFileSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isObject } from '../core/json.js';
import type { Log } from '../core/ports.js';
import type { PageFile, Pages } from '../http/routes/page-routes.js';

/** The folder that the build writes pages to. The relative path is the same from src/app and from dist/modules. */
const FOLDER = fileURLToPath(new URL('../../dist/inspector/', import.meta.url));

/** The group of a page. `inspector: false` omits the group `inspector`. */
interface BuiltPage extends PageFile {
  readonly part: 'inspector' | 'docs';
}

/** Maximum of missing files that the log names: if a folder is missing, all its files are. */
const NAMED = 5;

/** The pages that the build made. If they are missing, the service logs a warning and serves everything else. */
export function builtPages({ inspector }: { readonly inspector: boolean }, log: Log, folder = FOLDER): Pages {
  const listed = listedPages(folder, log).filter(({ part }) => inspector || part !== 'inspector');
  const found = listed.map((page) => foundPage(page, folder));
  const missing = listed.filter((_, index) => found[index] === null);
  if (missing.length > 0)
    log.warn(
      { folder, missing: missing.slice(0, NAMED).map(({ file }) => file), count: missing.length },
      'pages are missing or cannot be read, so that they are not served: install the package or image again',
    );
  return { folder, files: found.filter((page) => page !== null) };
}

/**
 * A page whose file exists. The page at `/` is blank without its script, whose name changes with each version. So the
 * page is read into memory now. If a later version is unpacked over this one, the file on disk would name a script that
 * is not listed.
 */
function foundPage(page: BuiltPage, folder: string): PageFile | null {
  const place = join(folder, page.file);
  try {
    fileAt(place);
    return page.path === '/' ? { ...page, html: readFileSync(place) } : page;
  } catch {
    return null;
  }
}

function listedPages(folder: string, log: Log): readonly BuiltPage[] {
  try {
    const listed: unknown = JSON.parse(readShort(`${folder}/pages.json`));
    if (Array.isArray(listed) && listed.length > 0 && listed.every(isBuiltPage)) return listed;
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

/**
 * Maximum size of the list in bytes. The build writes no longer one, and reading it could take minutes or all memory.
 */
const LONGEST_LIST = 2 ** 20;

/** @throws {Error} if the path cannot be read, is not a file, or is too long for a list */
function readShort(path: string): string {
  const { size } = fileAt(path);
  if (size > LONGEST_LIST) throw new Error(`it is ${size} bytes, at most ${LONGEST_LIST} are allowed`);
  return readFileSync(path, 'utf8');
}

/** @throws {Error} if the path is not a file: a read from a pipe could block forever */
function fileAt(path: string): Stats {
  const stats = statSync(path);
  if (!stats.isFile()) throw new Error('it is not a regular file');
  return stats;
}

/** Accepted paths of pages. A path of another route would prevent the start of the service. */
const PATH = /^\/(?:docs|inspector\/[\w.-]+)?$/;

/** Checks the form that scripts/pages/build.ts writes. */
function isBuiltPage(value: unknown): value is BuiltPage {
  if (!isObject(value)) return false;
  const { path, file, lasting, part } = value;
  return (
    typeof path === 'string' &&
    PATH.test(path) &&
    typeof file === 'string' &&
    typeof lasting === 'boolean' &&
    (part === 'inspector' || part === 'docs')
  );
}

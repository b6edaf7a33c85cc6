import { readFileSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isObject } from '../core/json.js';
import type { Log } from '../core/ports.js';
import type { PageFile, Pages } from '../http/routes/page-routes.js';

/** Where the build puts the pages, as seen from src and from dist. */
const FOLDER = fileURLToPath(new URL('../../dist/inspector/', import.meta.url));

/** The group of a page. `inspector: false` leaves out the first. */
interface BuiltPage extends PageFile {
  readonly part: 'inspector' | 'docs';
}

/** Missing files that are named: where a folder is gone, all that is in it is missing. */
const NAMED = 5;

/** The pages that were built beside the service. Without them it serves everything else, and the log says so: they judge nothing. */
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
 * A page whose file is there. The one at `/` is blank without its script, whose name changes with each version: it is kept as it
 * is now, since a later version that is unpacked over this one would make it name a script that is not listed.
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

/** A longer list is none that a build wrote. Reading it could take minutes, or all memory. */
const LONGEST_LIST = 2 ** 20;

/** @throws {Error} where it cannot be read, is no file, or is too long for a list */
function readShort(path: string): string {
  const { size } = fileAt(path);
  if (size > LONGEST_LIST) throw new Error(`it is ${size} bytes, at most ${LONGEST_LIST} are allowed`);
  return readFileSync(path, 'utf8');
}

/** @throws {Error} where there is no file: reading from a pipe would never end */
function fileAt(path: string): Stats {
  const stats = statSync(path);
  if (!stats.isFile()) throw new Error('it is not a regular file');
  return stats;
}

/** Paths of pages: with one of another route, the service would not start. */
const PATH = /^\/(?:docs|inspector\/[\w.-]+)?$/;

/** As scripts/pages/build.ts writes it. */
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

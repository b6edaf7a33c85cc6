import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { groupedBy } from '../src/core/grouped.js';
import { buildPagesIfNeeded } from './build-if-needed.mjs';
import { isDocument, isOutput } from './size/kinds.js';
import { loadedBy } from './size/reach.js';
import { type Source, sourceOf } from './size/source.js';
import { arrowsOf, circlesOf } from './size/structure.js';

/**
 * Prints the size of the project: lines by room, functions, imports between rooms, documents, committed output, what
 * the library loads, and the files that one request runs. Nothing fails here; the aims stand in docs/architecture.md.
 */
const LONGEST_FUNCTION = 40;
const MOST_IMPORTS = 20;
/** Files in which a search may find one name of a function. */
const MOST_NAMESAKES = 4;

const files = readdirSync('.', { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name))
  .filter((path) => !/^(\.git|node_modules|dist|coverage|packages|data)\//.test(path));
const linesOf = (path: string) => readFileSync(path, 'utf8').split('\n').length - 1;
const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);
const print = (text: string) => process.stdout.write(`${text}\n`);
const row = (name: string, ...numbers: readonly (number | string)[]) =>
  print([name.padEnd(36), ...numbers.map((number) => String(number).padStart(9))].join(''));

const sources = files.filter((path) => /^src\/.*\.tsx?$/.test(path) && !isOutput(path)).map(sourceOf);
printRooms();
printFunctions();
printImports();
printWords();
printTexts();
await printLibrary();
await printRoad();

function printRooms(): void {
  row('src, without output', 'files', 'code', 'comment', 'share %');
  for (const [room, within] of [...groupedBy(sources, ({ room }) => room)].sort()) printTotals(`  ${room}`, within);
  printTotals('  all', sources);
  const tests = files.filter((path) => /^test\/.*\.ts$/.test(path));
  row('test, all lines', tests.length, sum(tests.map(linesOf)));
}

function printTotals(name: string, within: readonly Source[]): void {
  const code = sum(within.map((source) => source.code));
  const comment = sum(within.map((source) => source.comment));
  row(name, within.length, code, comment, ((100 * comment) / (code + comment)).toFixed(1));
}

function printFunctions(): void {
  const functions = sources.flatMap(({ path, functions }) => functions.map((each) => ({ ...each, path })));
  const long = functions.filter(({ lines }) => lines > LONGEST_FUNCTION);
  row(`functions; longer than ${LONGEST_FUNCTION} lines`, functions.length, long.length);
  for (const { path, name, lines } of long) row(`  ${path} ${name}`, lines);
}

function printImports(): void {
  const wide = sources.filter(({ imports }) => imports.length > MOST_IMPORTS);
  row(`files that import more than ${MOST_IMPORTS}`, wide.length);
  for (const { path, imports } of wide.toSorted((a, b) => b.imports.length - a.imports.length)) {
    row(`  ${path}`, imports.length);
  }
  const arrows = arrowsOf(sources);
  row('imports from room to room', arrows.size);
  row('circles of rooms', circlesOf(arrows).length);
  for (const circle of circlesOf(arrows)) print(`  ${circle.join(', ')}`);
}

function printWords(): void {
  const clauses = sum(sources.map((source) => source.clauses));
  const share = (100 * clauses) / sum(sources.map(({ comment }) => comment));
  row('comment lines with What, Whose, Who', clauses, `${share.toFixed(1)} %`);
  const names = groupedBy(
    sources.flatMap(({ declared }) => declared),
    (name) => name,
  );
  const frequent = [...names].filter(([, files]) => files.length > MOST_NAMESAKES);
  row(`functions named in more than ${MOST_NAMESAKES} files`, frequent.length);
  for (const [name, files] of frequent) row(`  ${name}`, files.length);
}

function printTexts(): void {
  const documents = files.filter(isDocument);
  const output = files.filter((path) => isOutput(path) && !path.includes('/generated/'));
  const decisions = files.filter((path) => /^docs\/decisions\/\d/.test(path));
  row('documents by hand, files and lines', documents.length, sum(documents.map(linesOf)));
  row('decision records, files and lines', decisions.length, sum(decisions.map(linesOf)));
  row('committed output, files and lines', output.length, sum(output.map(linesOf)));
}

/** What decides an allow: what the two entries of the library load. */
async function printLibrary(): Promise<void> {
  const entries = ['verifier', 'policy'].map((name) => `src/library/${name}.ts`);
  const { files: reached, packages } = await loadedBy(...entries);
  const within = sources.filter(({ path }) => reached.includes(path));
  row('the library reaches: files, code', within.length, sum(within.map(({ code }) => code)));
  for (const [room, ofRoom] of [...groupedBy(within, ({ room }) => room)].sort()) {
    row(`  ${room}`, ofRoom.length, sum(ofRoom.map(({ code }) => code)));
  }
  print(`  ${packages.join(', ')}`);
}

/** The lab checks answers against the contract as the build writes it, so the pages have to be there before it loads. */
async function printRoad(): Promise<void> {
  if ((await buildPagesIfNeeded()) !== 0) throw new Error('the pages cannot be built');
  const { fileRoad } = await import('./size/road.js');
  const road = await fileRoad();
  row('az-snp-vtpm: files run, functions', road.files.length, road.functions);
}

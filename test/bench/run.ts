import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { chipsNeeded, type Figure, type FigureName, Figures, PEERS, PRIMITIVES } from './figures.js';
import { measureGarbage } from './garbage.js';
import { makeMaterial } from './material.js';
import { compile } from './measured-process.js';
import { measurePage, PAGE_LINES } from './page.js';
import { buildPeers, missingPackages } from './peers.js';
import { canPin, pinClient } from './pinning.js';
import { AT_A_TIME, type Material } from './protocol.js';
import { ascending, type Line, type Measured, ROWS, type Round, tableOf } from './table.js';
import { measureWorst, worstList } from './worst.js';

/**
 * CPU time of the service beside that of other verifiers and of bare servers, as ratios. All are measured in turn and
 * in short slices, so that what else the machine does hits all alike. Nothing is asserted.
 *
 * `--peers` builds the verifiers in Go and measures them too;
 * `--rounds <n>`, `--times <n>` in each round; `--only <text>` measures the lines that have the text in their name;
 * `--only worst` lists how long the event loop stands still over each of the worst inputs;
 * `--only page` says what the page weighs, and how soon something is seen of it;
 * `--profile <folder>` writes a CPU profile of the service there.
 */
const [rounds, times, only] = [Number(option('rounds') ?? 15), Number(option('times') ?? 200), option('only')];
const [profile, hasPeers] = [option('profile'), process.argv.includes('--peers')];
const nodeOptions = profile === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];

const GARBAGE = { name: 'snp: kB of garbage a request', aim: 60, isLimit: true };
const PAUSE = { name: 'snp: longest GC pause in 2 000 requests, ms', aim: 8, isLimit: true };
/** Each of the worst inputs is sent so often. The least counts: other load only ever adds to it. */
const WORST_TIMES = 7;
const WORST = { name: 'worst accepted or refused body: event loop, least ms', aim: 15, isLimit: true };

const rows = ROWS.filter(isChosen);
const measurable = rows.filter(({ figures }) => hasPeers || !figures.some((figure) => PEERS.has(figure)));

const missing = hasPeers ? missingPackages() : [];
if (missing.length > 0) {
  process.stderr.write(`--peers needs these packages of Debian: apt-get install ${missing.join(' ')}\n`);
  process.exit(1);
}
compile();
const folder = await mkdtemp(join(tmpdir(), 'veritee-bench-'));
try {
  await measureAll();
} finally {
  // those who write there may be about to end
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

async function measureAll(): Promise<void> {
  const hasChips = measurable.some(({ figures }) => figures.some((figure) => figure.includes('chip')));
  const material = await makeMaterial(folder, hasChips ? chipsNeeded(rounds, times) : 0);
  const executable = hasPeers ? buildPeers(folder) : null;
  const ofPage = PAGE_LINES.some(isChosen) ? await measurePage(material) : [];
  if (only === 'page') {
    print(tableOf([], ofPage));
    return;
  }
  pinClient();
  const apart = [...ofPage, ...([GARBAGE, PAUSE].some(isChosen) ? await garbageLines(material) : [])];
  const figures = new Figures(material);
  try {
    const service = await figures.addService(nodeOptions);
    if (only === 'worst') {
      print(worstList(await measureWorst(service, material, rounds)));
      return;
    }
    await figures.addYardsticks(service);
    if (measurable.some(({ figures: of }) => of.some((figure) => figure.includes('stored'))))
      await figures.addStore(nodeOptions);
    if (hasChips) await figures.addChips();
    if (executable !== null) await figures.addPeers(executable, service);
    const measured = await measureRounds(figures.all);
    const inRounds = measurable.map((row) => ({ ...row, values: measured.map(row.ratio) }));
    if (isChosen(WORST)) {
      const [{ delaysMs } = { delaysMs: [] }] = await measureWorst(service, material, WORST_TIMES);
      apart.push({ ...WORST, values: delaysMs, value: delaysMs[0] ?? Number.NaN });
    }
    print([...tableOf(measured, [...inRounds, ...apart]), '', ...conditions()]);
  } finally {
    await figures.close();
  }
}

async function garbageLines(material: Material): Promise<Line[]> {
  const { kilobytes, longestPausesMs } = await measureGarbage(material);
  return [
    { ...GARBAGE, values: kilobytes },
    { ...PAUSE, values: longestPausesMs },
  ];
}

async function measureRounds(all: ReadonlyMap<FigureName, Figure>): Promise<readonly Round[]> {
  const needed = new Set<FigureName>([...PRIMITIVES, ...measurable.flatMap((row) => row.figures)]);
  const figures = [...all].filter(([name]) => needed.has(name));
  for (const [, figure] of figures) await figure.run(figure.warmUp);
  const found: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    const measured = new Map<FigureName, Measured>();
    for (const [name, figure] of figures) measured.set(name, await measure(figure));
    found.push(measured);
  }
  return found;
}

async function measure({ process, run, share }: Figure): Promise<Measured> {
  const count = Math.ceil(times * share);
  const before = await process.cpuSeconds();
  const tookMs = ascending(await run(count));
  return { cpuUs: ((await process.cpuSeconds()) - before) * (1e6 / count), tookMs };
}

function conditions(): readonly string[] {
  const leftOut = rows.filter((row) => !measurable.includes(row)).map(({ name }) => name);
  const [cpu] = cpus();
  return [
    ...(leftOut.length === 0 ? [] : ['left out, since they need the verifiers in Go (--peers):']),
    ...leftOut.map((name) => `  ${name}`),
    `node ${process.version}, openssl ${process.versions.openssl}, ${cpus().length} x ${cpu?.model.trim() ?? 'unknown'}`,
    canPin
      ? 'servers on one CPU, the client on another'
      : 'servers and client on any CPU: taskset, or a CPU, is missing',
    `${rounds} rounds of ${times} each, ${AT_A_TIME} connections; CPU of all threads of the server process`,
    'a ratio is the median of the ratios of each round',
    'warm: certificates, CRLs and collateral are known. No decision is cached: every request has its own nonce and',
    'evidence, and every signature over them is verified',
  ];
}

function isChosen({ name }: { readonly name: string }): boolean {
  return only === null || name.includes(only);
}

function print(lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

function option(name: string): string | null {
  const index = process.argv.indexOf(`--${name}`);
  return index < 0 ? null : (process.argv[index + 1] ?? null);
}

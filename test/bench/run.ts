import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from './client.js';
import { makeMaterial } from './material.js';
import { compile, MeasuredProcess } from './measured-process.js';
import { AT_A_TIME, type BenchEvidence, type InProcess, type Material, type Measured } from './protocol.js';
import { measureWorst } from './worst.js';

/**
 * Verifications per CPU second, beside the bare primitives. Everything is measured in one process, in turn and in
 * short slices, so that what else the machine does hits all alike. Nothing is asserted.
 *
 * `--rounds <n>`, `--times <n>` in each round; `--only <text>` measures what has the text in its name, and what that is held against;
 * `--only worst` measures how long the event loop stands still over the worst inputs instead;
 * `--profile <folder>` writes a CPU profile of the measured process there.
 */
type OverHttp = 'P-384 over node:http' | 'Fastify POST' | `HTTP ${BenchEvidence}`;
type Figure = InProcess | OverHttp;

interface Clients {
  readonly service: Client;
  readonly plain: Client;
  readonly fastify: Client;
}

const BODIES: { readonly [figure in OverHttp]: BenchEvidence } = {
  'P-384 over node:http': 'snp',
  'Fastify POST': 'maa-token',
  'HTTP snp': 'snp',
  'HTTP az-snp-vtpm': 'az-snp-vtpm',
  'HTTP tdx': 'tdx',
  'HTTP maa-token': 'maa-token',
};

const FIGURES: readonly Figure[] = [
  'P-384',
  'P-256',
  'RSA-2048',
  'P-384 over node:http',
  'library snp',
  'library az-snp-vtpm',
  'HTTP snp',
  'HTTP az-snp-vtpm',
  'dcap-qvl',
  'library tdx',
  'HTTP tdx',
  'Fastify POST',
  'library maa-token',
  'HTTP maa-token',
];

/** What each figure is held against: SEV-SNP against the one primitive in it, TDX against another verifier, tokens against the framework. */
const BESIDE: ReadonlyMap<Figure, Figure> = new Map([
  ['dcap-qvl', 'dcap-qvl'],
  ['library tdx', 'dcap-qvl'],
  ['HTTP tdx', 'dcap-qvl'],
  ['Fastify POST', 'Fastify POST'],
  ['library maa-token', 'Fastify POST'],
  ['HTTP maa-token', 'Fastify POST'],
]);

const [rounds, times, only] = [Number(option('rounds') ?? 15), Number(option('times') ?? 250), option('only')];
/** Times, until code is compiled and caches are full. */
const WARM_UP = 2_000;
/** A figure that takes far longer than the others gets a tenth of the turns. */
const SLOW: ReadonlySet<Figure> = new Set(['dcap-qvl']);

compile();
const folder = await mkdtemp(join(tmpdir(), 'veritee-bench-'));
try {
  const material = await makeMaterial(folder);
  if (only === 'worst') await measureWorstInputs(material);
  else print(await measureAll(material));
} finally {
  await rm(folder, { recursive: true });
}

async function measureWorstInputs(material: Material): Promise<void> {
  const worker = new MeasuredProcess(folder, { profile: option('profile') });
  try {
    const { service } = await worker.ask({ ask: 'start', material });
    await measureWorst(worker, service, material, rounds);
    await worker.stop();
  } finally {
    worker.kill();
  }
}

async function measureAll(material: Material): Promise<ReadonlyMap<Figure, readonly number[]>> {
  const worker = new MeasuredProcess(folder, { profile: option('profile') });
  try {
    const { service, plain, fastify } = await worker.ask({ ask: 'start', material });
    const clients = { service: new Client(service), plain: new Client(plain), fastify: new Client(fastify) };
    const chosen = FIGURES.filter((figure) => only === null || figure.includes(only));
    const figures = FIGURES.filter((figure) => chosen.some((one) => one === figure || besideOf(one) === figure));
    const found = new Map<Figure, number[]>(figures.map((figure) => [figure, []]));
    for (const figure of figures) await measure(figure, WARM_UP, worker, clients, material);
    for (let round = 0; round < rounds; round++) {
      for (const figure of figures) {
        const { count, cpuSeconds } = await measure(figure, times, worker, clients, material);
        found.get(figure)?.push(count / cpuSeconds);
      }
    }
    for (const client of Object.values(clients)) client.close();
    await worker.stop();
    return found;
  } finally {
    worker.kill();
  }
}

async function measure(
  figure: Figure,
  count: number,
  worker: MeasuredProcess,
  clients: Clients,
  material: Material,
): Promise<Measured> {
  if (!isOverHttp(figure)) {
    const turns = SLOW.has(figure) ? Math.ceil(count / 10) : count;
    return worker.ask({ ask: 'measure', what: figure, times: turns });
  }
  const client = clientOf(figure, clients);
  const before = await worker.ask({ ask: 'cpu' });
  await client.verify(material.bodies[BODIES[figure]], count);
  return { count, cpuSeconds: (await worker.ask({ ask: 'cpu' })) - before };
}

function clientOf(figure: OverHttp, clients: Clients): Client {
  if (figure === 'Fastify POST') return clients.fastify;
  return figure === 'P-384 over node:http' ? clients.plain : clients.service;
}

function besideOf(figure: Figure): Figure {
  return BESIDE.get(figure) ?? 'P-384';
}

function isOverHttp(figure: Figure): figure is OverHttp {
  return Object.hasOwn(BODIES, figure);
}

function print(found: ReadonlyMap<Figure, readonly number[]>): void {
  const lines = [...found].map(([figure, rates]) => {
    const beside = besideOf(figure);
    const rate = median(rates);
    const ratio = rate / median(found.get(beside) ?? []);
    return `${figure.padEnd(22)}${rate.toFixed(0).padStart(14)}${ratio.toFixed(2).padStart(8)} of ${beside}`;
  });
  const [cpu] = cpus();
  const conditions = [
    `node ${process.version}, openssl ${process.versions.openssl}, ${cpus().length} x ${cpu?.model.trim() ?? 'unknown'}`,
    `median of ${rounds} rounds of ${times} each, ${AT_A_TIME} at a time; CPU of all threads of the measured process`,
    'P-384 is verified in the thread pool, as the product does; P-256 and RSA-2048 at once',
    'P-384 over node:http: a plain server that verifies one signature and nothing else, the most that HTTP leaves',
    "Fastify POST: the framework alone with a body and an answer of the size of a token's, no schema, plugin or log",
    'HTTP: keep-alive, all plugins, log at info; the CPU time of the client is not in the figures',
    'dcap-qvl: that package over the same TD quotes and collateral, with the root of the lab; it keeps nothing',
    'warm: key certificates, chains, revocation lists and collateral are known. No decision is cached: there is no',
    'allow cache, every request has its own nonce and evidence, and every signature over them is verified',
  ];
  const heading = [`${'figure'.padEnd(22)}${'per CPU second'.padStart(14)}${'ratio'.padStart(8)}`];
  process.stdout.write(`${[...heading, ...lines, '', ...conditions].join('\n')}\n`);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function option(name: string): string | null {
  const index = process.argv.indexOf(`--${name}`);
  return index < 0 ? null : (process.argv[index + 1] ?? null);
}

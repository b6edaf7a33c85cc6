import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import * as PARSERS from './parsers.js';
import { makeSeeds } from './seeds.js';
import type { ParserName } from './target.js';

/**
 * Coverage-guided fuzzing of every parser, from genuine inputs of the lab. Fails where a parser throws what it does not
 * declare, hangs or grows without bound.
 *
 * `FUZZ_SECONDS`: time for each parser, 10 if left out. `FUZZ_SEED`: the random seed; another one each run where left
 * out. `FUZZ_PARSERS`: names, separated by commas; all if left out. `FUZZ_CORPUS`: a folder that keeps the inputs which reached new code,
 * for the next run; if left out, nothing is kept.
 */
const SECONDS = Number(process.env['FUZZ_SECONDS'] ?? '10');
const SEED = Number(process.env['FUZZ_SEED'] ?? 1 + Math.floor(Math.random() * 2 ** 31));
const CORPUS = process.env['FUZZ_CORPUS'];
/** One more than the cores of a small machine: starting one takes as long as it fuzzes, and waits for files. */
const AT_ONCE = 3;
const JAZZER = fileURLToPath(new URL('../../node_modules/@jazzer.js/core/dist/cli.js', import.meta.url));
const LIMITS = ['-timeout=10', '-rss_limit_mb=1024', '-max_len=65536'];

/** Modules of the project have no effect but what they export: those of other parsers stay out of a bundle. */
const WITHOUT_EFFECTS: Plugin = {
  name: 'without-effects',
  setup: ({ onResolve, resolve }) =>
    onResolve({ filter: /^\./ }, async ({ path, pluginData, ...from }) => {
      if (pluginData === WITHOUT_EFFECTS) return undefined;
      return { ...(await resolve(path, { ...from, pluginData: WITHOUT_EFFECTS })), sideEffects: false };
    }),
};

interface Outcome {
  readonly name: ParserName;
  readonly runs: number;
  /** The output of the fuzzer, if it found something. */
  readonly failure: string | null;
}

const chosen = chosenParsers();
const folder = await mkdtemp(join(tmpdir(), 'veritee-fuzz-'));
try {
  process.stdout.write(`fuzzing ${chosen.length} parsers, ${SECONDS} s each, FUZZ_SEED=${SEED}\n`);
  process.exitCode = (await fuzzAll()) ? 0 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

function chosenParsers(): readonly ParserName[] {
  const known = Object.keys(PARSERS) as readonly ParserName[];
  const named = process.env['FUZZ_PARSERS']?.split(',');
  const unknown = named?.find((name) => !Object.hasOwn(PARSERS, name));
  if (unknown !== undefined) throw new Error(`no parser ${unknown}; there are ${known.join(', ')}`);
  return named === undefined ? known : known.filter((name) => named.includes(name));
}

/** Whether nothing was found. */
async function fuzzAll(): Promise<boolean> {
  const seeds = await makeSeeds();
  const waiting = [...chosen];
  const outcomes: Outcome[] = [];
  const lane = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      outcomes.push(report(await fuzzOne(name, seeds[name])));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  const failed = outcomes.filter(({ failure }) => failure !== null).length;
  process.stdout.write(`${outcomes.length - failed} passed, ${failed} failed\n`);
  return failed === 0;
}

function report(outcome: Outcome): Outcome {
  const { name, runs, failure } = outcome;
  process.stdout.write(`${name.padEnd(22)} ${String(runs).padStart(9)} runs${failure === null ? '' : '  FAILED'}\n`);
  if (failure !== null) {
    process.stdout.write(
      `${failure}\nagain: FUZZ_SEED=${SEED} FUZZ_PARSERS=${name} FUZZ_SECONDS=${SECONDS} npm run fuzz\n`,
    );
  }
  return outcome;
}

async function fuzzOne(name: ParserName, seeds: readonly Uint8Array[]): Promise<Outcome> {
  const [corpus, found] = [join(CORPUS ?? folder, name), join(folder, `${name}-found`)];
  for (const made of [corpus, found]) await mkdir(made, { recursive: true });
  for (const [index, seed] of seeds.entries()) await writeFile(join(corpus, `seed-${index}`), seed);
  const { end, output } = await jazzer(name, await bundle(name), [
    corpus,
    // libFuzzer goes on until a second more has passed, and for ever with 0.
    `-max_total_time=${Math.max(1, SECONDS - 1)}`,
    `-seed=${SEED}`,
    `-artifact_prefix=${found}/`,
    ...LIMITS,
  ]);
  const runs = Number(/^Done (\d+) runs/m.exec(output)?.[1] ?? 0);
  if (end === 'exit code 0' && runs > 0) return { name, runs, failure: null };
  const inputs = await Promise.all(
    (await readdir(found)).map(async (file) => (await readFile(join(found, file))).toString('base64')),
  );
  return {
    name,
    runs,
    failure: [output.slice(-4000), end, ...inputs.map((input) => `input (base64): ${input}`)].join('\n'),
  };
}

/**
 * The path of a bundle of one parser: Jazzer.js instruments what `require` loads, and the parsers are ES modules. It
 * takes some three seconds to instrument all of them.
 */
async function bundle(name: ParserName): Promise<string> {
  const outfile = join(folder, `${name}.cjs`);
  await build({
    stdin: {
      contents: `import { ${name} } from './parsers.js'; import { target } from './target.js'; export const fuzz = target(${name});`,
      resolveDir: import.meta.dirname,
    },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    outfile,
    plugins: [WITHOUT_EFFECTS],
    logLevel: 'error',
  });
  return outfile;
}

/**
 * Runs Jazzer.js until its time is over. It writes to a file: into a pipe that nobody has read yet, libFuzzer's
 * last lines are lost, since Node makes the pipes of a process non-blocking.
 */
async function jazzer(
  name: ParserName,
  target: string,
  limits: readonly string[],
): Promise<{ readonly end: string; readonly output: string }> {
  const written = join(folder, `${name}-output`);
  const file = await open(written, 'w');
  const end = await new Promise<string>((resolve, reject) => {
    const child = spawn(process.execPath, [JAZZER, target, '--sync', '-i', target, '--', ...limits], {
      stdio: ['ignore', file.fd, file.fd],
    });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
  }).finally(() => file.close());
  return { end, output: await readFile(written, 'utf8') };
}

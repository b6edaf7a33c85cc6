import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import type { JsonValue } from '../../src/core/json.js';
import { haveVectors } from '../vectors.js';
import type { Body } from './body.js';
import { type Difference, differencesOf, isMeant, type MeantDifference, unusedOf } from './differences.js';
import { closeLab, createLab, rootPairs, trustIn } from './lab.js';
import { labBodies } from './lab-bodies.js';
import { malformedBodies } from './malformed-bodies.js';
import { realBodies } from './real-bodies.js';
import { AT_ONCE, type RootPairs, Services, THIS_CHECKOUT } from './service.js';
import { SERVICES, writeSetting } from './setting.js';
import { requireAllowed, tallyOf } from './tally.js';
import { tokenBodies } from './token-bodies.js';

/**
 * Shows what a service answers to thousands of bodies, or where two checkouts answer differently (README.md).
 *
 * `--write DIR`, or `--against CHECKOUT`; `--seed N`: which bytes are changed; `--only TEXT`: bodies with it in the name.
 */
const { values } = parseArgs({
  options: {
    write: { type: 'string' },
    against: { type: 'string' },
    seed: { type: 'string', default: '0' },
    only: { type: 'string', default: '' },
  },
});
const { write, against } = values;
if ((write === undefined) === (against === undefined)) throw new Error('give either --write DIR or --against CHECKOUT');

const folder = await mkdtemp(join(tmpdir(), 'veritee-answers-'));
try {
  const { bodies, roots } = await prepare();
  if (write !== undefined) await writeAnswers(bodies, roots, resolve(write));
  else process.exitCode = (await compareWith(bodies, roots, resolve(against ?? ''))) ? 0 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** All bodies, and the setting of the services that they are for. */
async function prepare(): Promise<{ readonly bodies: readonly Body[]; readonly roots: RootPairs }> {
  const lab = await createLab();
  try {
    await writeSetting(folder, trustIn(lab), lab.maa.policyHash);
    const real = haveVectors ? realBodies(Number(values.seed)) : [];
    const all = [...real, ...(await labBodies(lab)), ...tokenBodies(lab), ...malformedBodies()];
    const bodies = new Map(all.map((body) => [body.name, body]));
    if (bodies.size !== all.length) throw new Error(`two bodies are called ${nameTwice(all)}`);
    return { bodies: all.filter(({ name }) => name.includes(values.only)), roots: rootPairs(lab) };
  } finally {
    await closeLab(lab);
  }
}

function nameTwice(bodies: readonly Body[]): string {
  const names = bodies.map(({ name }) => name);
  return names.find((name, index) => names.indexOf(name) !== index) ?? '';
}

async function writeAnswers(bodies: readonly Body[], roots: RootPairs, target: string): Promise<void> {
  await build(THIS_CHECKOUT);
  const services = await Services.start(THIS_CHECKOUT, folder, join(folder, 'here'), roots);
  try {
    const answers = new Map<Body, JsonValue>();
    const texts = new Map<Body, string>();
    await forEach(bodies, async (body) => {
      const text = body.text();
      texts.set(body, text);
      answers.set(body, await services.canonical(body, text));
    });
    const lines = (line: (body: Body) => object) =>
      bodies.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map((body) => `${JSON.stringify(line(body))}\n`);
    await mkdir(target, { recursive: true });
    const answered = lines((body) => ({ answer: answers.get(body), name: body.name }));
    await writeFile(join(target, 'answers.jsonl'), answered);
    const posted = lines((body) => ({
      name: body.name,
      service: body.service,
      target: body.target,
      text: texts.get(body),
    }));
    await writeFile(join(target, 'bodies.jsonl'), posted);
    report([...answers]);
  } finally {
    await services.close();
  }
}

/** Whether nothing differs that is not meant to. */
async function compareWith(bodies: readonly Body[], roots: RootPairs, other: string): Promise<boolean> {
  await Promise.all([build(other), build(THIS_CHECKOUT)]);
  const before = await Services.start(other, folder, join(folder, 'before'), roots);
  try {
    const after = await Services.start(THIS_CHECKOUT, folder, join(folder, 'after'), roots);
    try {
      return await compare(bodies, before, after);
    } finally {
      await after.close();
    }
  } finally {
    await before.close();
  }
}

async function compare(bodies: readonly Body[], before: Services, after: Services): Promise<boolean> {
  const answers = new Map<Body, JsonValue>();
  const found = new Map<Body, readonly Difference[]>();
  await forEach(bodies, async (body) => {
    const text = body.text();
    const [first, second] = await Promise.all([before.canonical(body, text), after.canonical(body, text)]);
    answers.set(body, second);
    const differences = differencesOf(first, second);
    if (differences.length > 0) found.set(body, differences);
  });
  const meant = await meantDifferences();
  const isUnmeant = (difference: Difference) => !meant.some((one) => isMeant(difference, one));
  const unmeant = bodies.flatMap((body) => {
    const differences = (found.get(body) ?? []).filter(isUnmeant);
    return differences.length === 0 ? [] : [{ body, differences }];
  });
  for (const { body, differences } of unmeant) for (const one of differences) say(`${body.name} ${lineOf(one)}`);
  // Of some bodies alone nothing follows for an entry about others.
  const unused = values.only === '' ? unusedOf(meant, [...found.values()].flat()) : [];
  for (const { pointer, why } of unused) say(`meant and not found: ${pointer} (${why})`);
  const inOrder = unmeant.filter(({ differences }) => differences.every(({ kind }) => kind === 'order'));
  report([...answers]);
  say(
    `${bodies.length} bodies, ${unmeant.length} differ (${inOrder.length} in order alone), ${found.size - unmeant.length} as meant`,
  );
  return unmeant.length === 0 && unused.length === 0;
}

/** @throws {Error} if nothing of the lab is allowed: most of it would then be judged no further than its roots */
function report(answers: readonly (readonly [Body, JsonValue])[]): void {
  say(tallyOf(answers));
  if (values.only === '') requireAllowed(answers);
}

async function meantDifferences(): Promise<readonly MeantDifference[]> {
  return JSON.parse(await readFile(new URL('meant-differences.json', import.meta.url), 'utf8'));
}

function lineOf({ pointer, check, kind, before, after }: Difference): string {
  const where = `${pointer}${check === null ? '' : ` (${check})`}`;
  if (kind === 'order') return `${where}: the same in another order`;
  const shown = (value: JsonValue | undefined) => (value === undefined ? 'nothing' : JSON.stringify(value));
  return `${where}: ${shown(before)} -> ${shown(after)}`;
}

/** Works on a few bodies at a time, as many as the services take. */
async function forEach(bodies: readonly Body[], work: (body: Body) => Promise<void>): Promise<void> {
  const waiting = [...bodies].reverse();
  const worker = async () => {
    for (let body = waiting.pop(); body !== undefined; body = waiting.pop()) await work(body);
  };
  await Promise.all(Array.from({ length: AT_ONCE * SERVICES.length }, worker));
}

async function build(checkout: string): Promise<void> {
  await promisify(execFile)('npm', ['run', '--silent', 'build'], { cwd: checkout });
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

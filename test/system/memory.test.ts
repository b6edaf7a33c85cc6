import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client, type Outcome, verdictFor, verdictOf } from './client.js';
import { Lab } from './lab.js';
import { ServiceProcess } from './service-process.js';

const MIB = 1024 * 1024;
const REQUESTS = 20_000;
const WARM_UP = 2_000;
const CLIENTS = 16;

/** The memory that may remain after a garbage collection: caches have their bounds, nothing else grows. */
const GROWTH = 32 * MIB;
/** `--memory` and `MemoryMax` of the examples. */
const RESIDENT = 512 * MIB;

/** Over the default of `limits.bodyBytes`. */
const OVERSIZE = ' '.repeat(2 * MIB + 1);
/** Malformed in ways that get to different places. */
const MALFORMED = [
  '{',
  '{"evidence":{"type":"snp"}}',
  `{"evidence":{"type":"snp","report":"${'A'.repeat(400)}"},"nonce":"AAAAAAAAAAA"}`,
  `${'['.repeat(40)}${']'.repeat(40)}`,
  `{"nonce":"${'n'.repeat(60_000)}"}`,
];

let lab: Lab;
let service: ServiceProcess;
let client: Client;

beforeAll(async () => {
  lab = await Lab.create();
  const command = await lab.command({ log: { level: 'fatal' } }, ['--expose-gc']);
  service = await ServiceProcess.start(command, { cwd: lab.workFolder, measured: true });
  client = new Client(service.url, CLIENTS);
});

afterAll(async () => {
  client.close();
  await service.close();
  await lab.close();
});

/** The request of a turn: of twenty, nine malformed, one oversize, and else genuine or tampered ones. */
async function send(turn: number): Promise<void> {
  if (turn % 2 === 1) {
    if (turn % 20 === 19) return expectOversize(await client.post('/verify', ...oversizeParts(turn)));
    const outcome = await client.post('/verify', MALFORMED[turn % MALFORMED.length] ?? '');
    return expect(outcome).toMatchObject({ status: expect.toBeOneOf([400, 503]) });
  }
  const question = lab.questions[(turn / 2) % lab.questions.length];
  if (question === undefined) throw new Error('the lab has no questions');
  expect(verdictOf(await client.ask(question))).toEqual(verdictFor(question));
}

/** With its length told, and without. */
function oversizeParts(turn: number): readonly string[] {
  return turn % 40 === 19 ? [OVERSIZE] : ['{', OVERSIZE];
}

/** A client that is still sending may be cut off. */
function expectOversize(outcome: Outcome): void {
  if ('status' in outcome) expect(outcome.status).toSatisfy((status) => status === 413 || status === 503);
  else expect(outcome.error).toSatisfy((code) => code === 'ECONNRESET' || code === 'EPIPE');
}

async function sendAll(count: number): Promise<void> {
  let turn = 0;
  const inTurn = async () => {
    while (turn < count) await send(turn++);
  };
  await Promise.all(Array.from({ length: CLIENTS }, inTurn));
}

describe('the memory of a service', () => {
  it('is bounded over 20 000 requests, good, malformed and oversize', { timeout: 170_000 }, async () => {
    await sendAll(WARM_UP);
    const before = await service.memory();
    await sendAll(REQUESTS);
    const after = await service.memory();
    const growth = (member: 'heapUsed' | 'external' | 'arrayBuffers') => after[member] - before[member];
    process.stdout.write(
      `after ${REQUESTS} requests: heap ${(after.heapUsed / MIB).toFixed(1)} MiB (${(growth('heapUsed') / MIB).toFixed(1)} more), resident ${(after.rss / MIB).toFixed(1)} MiB\n`,
    );
    expect(growth('heapUsed')).toBeLessThan(GROWTH);
    expect(growth('external')).toBeLessThan(GROWTH);
    expect(growth('arrayBuffers')).toBeLessThan(GROWTH);
    expect(after.rss).toBeLessThan(RESIDENT);
  });
});

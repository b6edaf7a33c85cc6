import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Client } from './client.js';
import { Lab, type Question } from './lab.js';
import { ServiceProcess } from './service-process.js';

const DECISIONS = 2_000;
const AT_ONCE = 4;

let lab: Lab;
let service: ServiceProcess;
const store = () => join(lab.folder, 'kept.db');

beforeAll(async () => {
  lab = await Lab.create();
  const keys = { stores: { url: `sqlite:${store()}` }, decisions: { keepEvidence: 'full' } };
  service = await ServiceProcess.start(await lab.command(keys), { cwd: lab.workFolder });
});

afterAll(async () => {
  await service.close();
  await lab.close();
});

/** @returns the kinds of decisions that there were */
async function decideAll(client: Client): Promise<ReadonlySet<string>> {
  const decisions = new Set<string>();
  const questions = Array.from(
    { length: DECISIONS },
    (_, index) => lab.questions[index % lab.questions.length],
  ).values();
  const lane = async () => {
    for (const question of questions) decisions.add((await client.ask(question as Question)).body.decision);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return decisions;
}

describe('two thousand decisions', () => {
  it('DEC-05 are judged again from what was kept, and each is equal', { timeout: 900_000 }, async () => {
    const client = new Client(service.url, AT_ONCE);
    const decisions = await decideAll(client);
    client.close();
    expect(decisions).toEqual(new Set(['allow', 'deny']));
    service.signal('SIGTERM');
    await service.end();
    const child = spawn(
      process.execPath,
      [
        join(inject('installation'), 'dist/replay-main.js'),
        join(lab.folder, 'pins.json'),
        'replay',
        '--since',
        '2020-01-01T00:00:00Z',
      ],
      {
        cwd: lab.workFolder,
        env: { PATH: process.env['PATH'], VERITEE__STORES__URL: `sqlite:${store()}`, VERITEE__AMD__KDS: 'off' },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const ended = once(child, 'close');
    const summary = JSON.parse(await text(child.stdout)).summary;
    expect(await ended).toEqual([0, null]);
    expect(summary).toMatchObject({ judged: DECISIONS, equal: DECISIONS });
  });
});

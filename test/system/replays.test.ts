import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Client } from './client.js';
import { Lab } from './lab.js';
import { ServiceProcess } from './service-process.js';

const BATCHES = 40;
const OF_A_BATCH = 250;

let lab: Lab;
let service: ServiceProcess;
const store = () => join(lab.folder, 'kept.db');

beforeAll(async () => {
  lab = await Lab.create();
  const keys = { decisions: { store: store(), keepEvidence: 'full' } };
  service = await ServiceProcess.start(await lab.command(keys), { cwd: lab.workFolder });
});

afterAll(async () => {
  await service.close();
  await lab.close();
});

/** Has the service decide a batch. @returns how many decisions there were of each kind */
async function decideBatch(client: Client, first: number): Promise<readonly string[]> {
  const questions = Array.from(
    { length: OF_A_BATCH },
    (_, index) => lab.questions[(first + index) % lab.questions.length],
  );
  const requests = `{"requests":[${questions.map((question) => question?.body).join()}]}`;
  const answer = await client.post('/verify:batch', requests);
  if (!('body' in answer)) throw new Error(`no answer: ${answer.error}`);
  return answer.body.results.map(({ body }: { readonly body: { readonly decision: string } }) => body.decision);
}

describe('ten thousand decisions', () => {
  it('DEC-05 are judged again from what was kept, and each is equal', { timeout: 900_000 }, async () => {
    const client = new Client(service.url, 1);
    const decisions: string[] = [];
    for (let batch = 0; batch < BATCHES; batch++) decisions.push(...(await decideBatch(client, batch * OF_A_BATCH)));
    client.close();
    expect(new Set(decisions)).toEqual(new Set(['allow', 'deny']));
    service.signal('SIGTERM');
    await service.end();
    const child = spawn(
      process.execPath,
      [
        join(inject('installation'), 'test/system/replay-main.mjs'),
        join(lab.folder, 'pins.json'),
        'replay',
        '--since',
        '2020-01-01T00:00:00Z',
      ],
      {
        cwd: lab.workFolder,
        env: { PATH: process.env['PATH'], VERITEE__DECISIONS__STORE: store(), VERITEE__AMD__KDS: 'off' },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const ended = once(child, 'close');
    const summary = JSON.parse(await text(child.stdout)).summary;
    expect(await ended).toEqual([0, null]);
    expect(summary).toMatchObject({ judged: BATCHES * OF_A_BATCH, equal: BATCHES * OF_A_BATCH });
  });
});

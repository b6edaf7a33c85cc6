import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RunningService } from '../../src/app/service.js';
import { CLOSED, OPEN, OUTCOMES } from '../integration/service/changing-policy.js';
import { LabService, verdictOf } from '../integration/service/lab-service.js';

const REQUESTS = 1_000;

let lab: LabService;
let service: RunningService;

beforeAll(async () => {
  lab = await LabService.create();
  await lab.writePolicy(OPEN);
  service = await lab.start();
});

afterAll(() => lab.close());

it('DEC-05 policies are exchanged during 1 000 requests, and no answer is of two texts', {
  timeout: 600_000,
}, async () => {
  const answered = new Map([...OUTCOMES.keys()].map((sha256) => [sha256, 0]));
  let requests = 0;
  const askOn = async () => {
    while (requests++ < REQUESTS) {
      const answer = await lab.verify(service, { members: { policy: 'changing' } });
      const [{ sha256 }] = answer.body.policies;
      expect(verdictOf(answer)).toEqual(OUTCOMES.get(sha256));
      answered.set(sha256, (answered.get(sha256) ?? 0) + 1);
    }
  };
  const reloadOn = async () => {
    for (let reloads = 0; requests < REQUESTS; reloads++) {
      await lab.writePolicy(reloads % 2 === 0 ? CLOSED : OPEN);
      await service.reload();
    }
  };
  await Promise.all([reloadOn(), askOn(), askOn()]);
  expect(Math.min(...answered.values())).toBeGreaterThan(0);
});

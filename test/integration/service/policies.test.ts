import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningService } from '../../../src/app/service.js';
import { ConfigurationError } from '../../../src/core/errors.js';
import { CLOSED, OPEN, OUTCOMES } from './changing-policy.js';
import { call, LabService, lenientPolicy, sha256Hex, verdictOf } from './lab-service.js';

let lab: LabService;
let service: RunningService;

beforeAll(async () => {
  lab = await LabService.create();
  await lab.writePolicy(OPEN);
  service = await lab.start();
});

afterAll(() => lab.close());

const judged = () => lab.verify(service, { members: { policy: 'changing' } });

const failedReloads = async () => {
  const { body } = await call(service.url, '/metrics');
  return Number(/^veritee_policy_reload_failed_total (\d+)$/m.exec(String(body))?.[1]);
};

describe('policies while the service runs', () => {
  it('DEC-05 are exchanged as a whole: each answer names the text that it was judged by', async () => {
    const seen = new Set<string>();
    const check = async () => {
      const answer = await judged();
      const [policy] = answer.body.policies;
      expect(verdictOf(answer)).toEqual(OUTCOMES.get(policy.sha256));
      expect(policy.version).toBe(policy.sha256 === sha256Hex(OPEN) ? 1 : 2);
      seen.add(policy.sha256);
    };
    for (let round = 0; round < 6; round++) {
      const answers = Array.from({ length: 10 }, check);
      await lab.writePolicy(round % 2 === 0 ? CLOSED : OPEN);
      await Promise.all([service.reload(), ...answers]);
    }
    expect([...seen].sort()).toEqual([...OUTCOMES.keys()].sort());
    await service.reload();
    expect(verdictOf(await judged())).toEqual(['allow']);
  });

  it.each<[string, string, string]>([
    ['broken syntax', 'changing.json', '{ "apiVersion": "veritee/v1", '],
    ['an unknown member', 'changing.json', JSON.stringify({ ...JSON.parse(OPEN), surplus: true })],
    ['nothing to accept', 'changing.json', JSON.stringify({ ...JSON.parse(OPEN), accepts: [] })],
    ['the id of another', 'second.json', OPEN],
    ['the id of a built-in one', 'second.json', lenientPolicy('azure-cvm-baseline')],
  ])('DEC-06 stay as they are where a new file has %s', async (_title, name, text) => {
    const before = await failedReloads();
    await writeFile(join(lab.policyFolder, name), text);
    await service.reload();
    expect(await failedReloads()).toBeGreaterThan(before);
    const figures = String((await call(service.url, '/metrics')).body);
    expect(figures).toMatch(/^veritee_policies_current 0$/m);
    const failed = await failedReloads();
    expect(figures).toContain(`veritee_reload_failed_total{part="policies"} ${failed}\n`);
    const answer = await judged();
    expect(verdictOf(answer)).toEqual(['allow']);
    expect(answer.body.policies[0].sha256).toBe(sha256Hex(OPEN));
    expect((await call(service.url, '/readyz')).status).toBe(200);
    expect(lab.output).toContain('policies not reloaded: the previous ones stay in force');
    await rm(join(lab.policyFolder, name));
    await lab.writePolicy(OPEN);
    await service.reload();
  });

  it('DEC-06 twin: a good file is in force after the reload, which the log names', async () => {
    await lab.writePolicy(CLOSED);
    const before = lab.output.length;
    await service.reload();
    const lines = lab.output.slice(before).trim().split('\n');
    const records = lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'policies reloaded');
    expect(records[0]?.policies).toContainEqual({ id: 'changing', version: 2, sha256: sha256Hex(CLOSED) });
    expect(records[0]).toMatchObject({ added: [], changed: ['changing'], removed: [] });
    expect(String((await call(service.url, '/metrics')).body)).toMatch(/^veritee_policies_current 1$/m);
    expect(verdictOf(await judged())).toEqual(['deny', 'snp_tcb_low']);
    await lab.writePolicy(OPEN);
    await service.reload();
    expect(verdictOf(await judged())).toEqual(['allow']);
    expect(lab.output).toContain('policy has a lower version than before');
  });
});

describe('policies at the start', () => {
  it.each<[string, string]>([
    ['broken', '{ "apiVersion": '],
    ['empty', ''],
    ['one with an unknown member', JSON.stringify({ ...JSON.parse(OPEN), id: 'bad', surplus: true })],
  ])('DEC-01, DEC-06 that are %s keep the service from starting', async (_title, text) => {
    const bad = join(lab.policyFolder, 'bad.json');
    await writeFile(bad, text);
    await expect(lab.start({}, {}, 'refused')).rejects.toThrow(ConfigurationError);
    await expect(lab.start({}, {}, 'refused')).rejects.toMatchObject({
      problems: expect.arrayContaining([expect.stringContaining('bad.json')]),
    });
    await rm(bad);
  });

  it('DEC-01 that are not where they are said to be keep the service from starting', async () => {
    const directory = join(lab.root, 'nowhere');
    await expect(lab.start({ policies: { directory } }, {}, 'refused')).rejects.toMatchObject({
      problems: [`policies.directory: ${directory} does not exist`],
    });
  });

  it('DEC-01 without the default one keep the service from starting', async () => {
    const policies = { directory: lab.policyFolder, default: 'nobody' };
    await expect(lab.start({ policies }, {}, 'refused')).rejects.toMatchObject({
      problems: ['policies.default: there is no policy nobody'],
    });
  });
});

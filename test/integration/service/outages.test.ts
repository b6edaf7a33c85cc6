import { createHook } from 'node:async_hooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, LabService, lenientPolicy, verdictOf } from './lab-service.js';

/** Signs of a vendor's outage for the operator: log, metrics and answers. */

let lab: LabService;

beforeAll(async () => {
  lab = await LabService.create();
  await lab.writePolicy(lenientPolicy('lenient'));
});

afterAll(() => lab.close());

function logged(message: string): readonly Record<string, unknown>[] {
  const records = lab.output
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
  return records.filter(({ msg }) => msg === message);
}

async function figure(url: string, name: string): Promise<string | undefined> {
  const { body } = await call(url, '/metrics');
  const lines = String(body).split('\n');
  return lines
    .find((line) => line.startsWith(`${name}{host="${new URL(lab.kds.origin).host}"}`))
    ?.split(' ')
    .at(-1);
}

describe('an outage of KDS', () => {
  it.each<[name: string, Parameters<typeof lab.kds.fail>[1], object]>([
    ['refuses', { status: 403 }, { fault: 'status', status: 403 }],
    ['babbles', 'garbage', { fault: 'content_type' }],
  ])('begins where it %s', async (name, fault, fields) => {
    const before = logged('origin does not answer').length;
    const service = await lab.start({}, {}, name);
    lab.kds.fail(/crl/, fault);
    const answer = await lab.verify(service, { endorsements: { crls: [] }, members: { policy: 'lenient' } });
    expect(verdictOf(answer)).toEqual(['indeterminate', 'crl_unavailable']);
    expect(await figure(service.url, 'veritee_origin_reachable')).toBe('0');
    expect(logged('origin does not answer').slice(before)).toMatchObject([fields]);
    await lab.kds.heal();
  });

  it('is no reason not to be ready, or not to be alive', async () => {
    const service = await lab.start({}, {}, 'ready');
    await lab.kds.connect('refused');
    const answer = await lab.verify(service, { endorsements: { crls: [] }, members: { policy: 'lenient' } });
    expect(verdictOf(answer)).toEqual(['indeterminate', 'crl_unavailable']);
    const probes = await Promise.all(['/livez', '/readyz'].map((path) => call(service.url, path)));
    expect(probes.map(({ status }) => status)).toEqual([200, 200]);
    await lab.kds.heal();
  });

  it('that hangs ends with the deadline of the request, and what is fetched of its line with the attempts for it', async () => {
    const service = await lab.start({ deadlineSeconds: 1 }, {}, 'hanging');
    // Those that are made while the request is judged, and run on. Chains and CRLs are fetched to the end.
    const timers = new Set<number>();
    let isJudged = false;
    const hook = createHook({
      init: (id, type) => {
        if (type === 'Timeout' && !isJudged) timers.add(id);
      },
      destroy: (id) => void timers.delete(id),
    });
    lab.kds.fail(/./, 'half_open');
    hook.enable();
    try {
      const answer = await lab.verify(service, { members: { policy: 'lenient' } });
      isJudged = true;
      expect(verdictOf(answer)).toEqual(['indeterminate', 'vcek_unavailable']);
      expect(lab.kds.count()).toBeGreaterThan(0);
      await expect.poll(() => lab.kds.openConnections, { timeout: 20_000 }).toBe(0);
      await expect.poll(() => timers.size, { timeout: 20_000 }).toBe(0);
    } finally {
      hook.disable();
      await lab.kds.heal();
    }
  });

  it('is in the log once when it begins and once when it ends, and in the metrics', async () => {
    const before = logged('origin does not answer').length;
    const asked = lab.kds.count(/crl/);
    const service = await lab.start();
    // The CRL is all that has to be fetched.
    const ask = () => lab.verify(service, { endorsements: { crls: [] }, members: { policy: 'lenient' } });
    expect(await figure(service.url, 'veritee_origin_reachable')).toBe('1');

    lab.kds.fail(/crl/, { status: 500 });
    expect(verdictOf(await ask())).toEqual(['indeterminate', 'crl_unavailable']);
    expect(await figure(service.url, 'veritee_origin_reachable')).toBe('0');
    expect(await figure(service.url, 'veritee_origin_failures_total')).toBe(String(lab.kds.count(/crl/) - asked));
    const host = new URL(lab.kds.origin).host;
    const outage = { level: 'warn', host, fault: 'status', status: 500, cause: 'answered with status 500' };
    expect(logged('origin does not answer').slice(before)).toMatchObject([outage]);
    expect(logged('origin answers again')).toEqual([]);

    await lab.kds.heal();
    expect(verdictOf(await ask())).toEqual(['allow']);
    expect(await figure(service.url, 'veritee_origin_reachable')).toBe('1');
    expect(logged('origin does not answer').slice(before)).toHaveLength(1);
    expect(logged('origin answers again')).toMatchObject([
      { level: 'info', host, attempts: lab.kds.count(/crl/) - asked - 1 },
    ]);
  });
});

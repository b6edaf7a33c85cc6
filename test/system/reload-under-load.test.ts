import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answered, Client } from './client.js';
import { Lab } from './lab.js';
import { ServiceProcess } from './service-process.js';

const CLIENTS = 8;
const REQUESTS = 1_000;
const EXCHANGES = 30;

let lab: Lab;
let service: ServiceProcess;

beforeAll(async () => {
  lab = await Lab.create();
  await exchangePolicies(1);
  service = await ServiceProcess.start(await lab.command(), { cwd: lab.workFolder });
});

afterAll(async () => {
  await service.close();
  await lab.close();
});

/** Even versions let the guests pass, odd ones ask for more than they have. */
const outcomeOf = (version: number) => (version % 2 === 0 ? 'allow' : 'deny');

function policyText(id: string, version: number): string {
  const microcode = outcomeOf(version) === 'allow' ? 219 : 255;
  return JSON.stringify({
    apiVersion: 'veritee/v1',
    id,
    version,
    accepts: ['snp'],
    minimums: { snp: { Milan: { snp: 24, microcode } } },
  });
}

/** Both policies at once, as Kubernetes exchanges a ConfigMap: the files lead through a link that is replaced. */
async function exchangePolicies(version: number): Promise<void> {
  const [folder, next] = [lab.policyFolder, `..${version}`];
  await mkdir(join(folder, next), { mode: 0o700 });
  for (const id of ['one', 'two']) {
    await writeFile(join(folder, next, `${id}.json`), policyText(id, version), { mode: 0o600 });
    if (version === 1) await symlink(join('..data', `${id}.json`), join(folder, `${id}.json`));
  }
  await symlink(next, join(folder, '..new'));
  await rename(join(folder, '..new'), join(folder, '..data'));
  if (version > 1) await rm(join(folder, `..${version - 1}`), { recursive: true });
}

/** Exchanges the policies again and again, each time as soon as the last ones are in force. */
async function exchangeAgainAndAgain(): Promise<void> {
  for (let version = 2; version <= EXCHANGES; version++) {
    await exchangePolicies(version);
    const reloads = service.logged('policies reloaded').length;
    service.signal('SIGHUP');
    await expect
      .poll(() => service.logged('policies reloaded').length, { timeout: 60_000, interval: 5 })
      .toBeGreaterThan(reloads);
  }
}

function requestFor(index: number): string {
  const bodies = lab.bodies('snp');
  return JSON.stringify({ ...JSON.parse(bodies[index % bodies.length] ?? ''), policy: ['one', 'two'] });
}

describe('a service whose policies are exchanged under load', () => {
  it('DEC-05 judges every request by one set of policies, and names it', async () => {
    const client = new Client(service.url, CLIENTS);
    const answers: Answered[] = [];
    let asked = 0;
    let isExchanging = true;
    const askInTurn = async () => {
      while (isExchanging || asked < REQUESTS) answers.push(await client.ask({ body: requestFor(asked++) }));
    };
    const asking = Promise.all(Array.from({ length: CLIENTS }, askInTurn));
    await exchangeAgainAndAgain();
    isExchanging = false;
    await asking;
    client.close();

    const digests = new Map<string, unknown>();
    for (const { status, body } of answers) {
      expect(status).toBe(200);
      const [{ version }] = body.policies;
      const decision = outcomeOf(version);
      expect(body).toMatchObject({
        decision,
        reasons: decision === 'allow' ? [] : ['snp_tcb_low'],
        policies: ['one', 'two'].map((id) => ({ id, version, outcome: decision })),
      });
      for (const { id, sha256 } of body.policies) {
        const known = digests.get(`${id} ${version}`) ?? sha256;
        expect(sha256).toBe(known);
        digests.set(`${id} ${version}`, known);
      }
    }
    expect(new Set(digests.values()).size).toBe(digests.size);
    // It did change under the requests, again and again.
    expect(digests.size).toBeGreaterThan(EXCHANGES / 2);
    expect(service.logged('policies not reloaded: the previous ones stay in force')).toEqual([]);
  });

  it('DEC-06 keeps the policies in force, and its readiness, where the new ones are wrong', async () => {
    const client = new Client(service.url, CLIENTS);
    const before = await client.ask({ body: requestFor(0) });
    await writeFile(join(lab.policyFolder, 'wrong.json'), '{', { mode: 0o600 });
    service.signal('SIGHUP');
    await expect
      .poll(() => service.logged('policies not reloaded: the previous ones stay in force').length, { timeout: 60_000 })
      .toBeGreaterThan(0);
    const after = await client.ask({ body: requestFor(0) });
    expect(after.body.policies).toEqual(before.body.policies);
    expect(await client.get('/readyz')).toMatchObject({ status: 200, body: { ready: true, problems: [] } });
    client.close();
  });
});

import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Answered, Client, type Outcome, verdictFor, verdictOf } from './client.js';
import { Lab } from './lab.js';
import { ServiceProcess } from './service-process.js';

const WORKERS = 2;
const CLIENTS = 8;
const MANAGED = { workers: WORKERS, listen: { port: 0, management: { port: 0, metrics: 'open' } } };

let lab: Lab;
let service: ServiceProcess;

beforeAll(async () => {
  lab = await Lab.create();
});

afterEach(async () => {
  await service.close();
  await rm(policyFile(), { force: true });
});
afterAll(() => lab.close());

async function start(keys: object = MANAGED): Promise<void> {
  service = await ServiceProcess.start(await lab.command(keys), { cwd: lab.workFolder });
}

/** Processes that a process has started and that still run. */
function childrenOf(pid: number): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const fields = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
        return Number(fields[1]) === pid && fields[0] !== 'Z' ? [Number(name)] : [];
      } catch {
        return [];
      }
    });
}

const policyFile = () => join(lab.policyFolder, 'versioned.json');

const isAnswered = (outcome: Outcome): outcome is Answered => 'status' in outcome;
const workersThatAnswered = () => new Set(service.logged('request').map(({ worker }) => worker));

async function figure(name: string): Promise<number> {
  const client = new Client(service.managementUrl, 1);
  const { body } = (await client.get('/metrics')) as Answered;
  client.close();
  const lines = String(body)
    .split('\n')
    .filter((line) => line.startsWith(name));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

const crashes = () => figure('veritee_worker_crashes_total');

describe('several workers', () => {
  it('answer at one port, sign with one key, and know what the others have used up', async () => {
    await start();
    expect(childrenOf(service.pid)).toHaveLength(WORKERS);
    // Connections go round: of these, each goes to another worker than the one before.
    const clients = Array.from({ length: 4 }, () => new Client(service.url, 1));
    const keySets = await Promise.all(clients.map((client) => client.get('/.well-known/jwks.json')));
    expect(new Set(keySets.map((outcome) => JSON.stringify((outcome as Answered).body.keys))).size).toBe(1);

    const [issuing, ...asking] = clients as [Client, ...Client[]];
    const { body: challenge } = (await issuing.post('/challenges', '{}')) as Answered;
    const request = { ...JSON.parse(lab.bodies('snp')[0] ?? ''), nonce: challenge.nonce };
    const answers = await Promise.all(asking.map((client) => client.ask({ body: JSON.stringify(request) })));
    const used = answers.filter(({ body }) => body.reasons.includes('nonce_used'));
    expect(used).toHaveLength(asking.length - 1);
    expect(workersThatAnswered()).toEqual(new Set([1, 2]));
    for (const client of clients) client.close();
  });

  it('give out the endorsements that another one judged by', async () => {
    await start();
    const [judging, ...asking] = Array.from({ length: 4 }, () => new Client(service.url, 1)) as [Client, ...Client[]];
    const { body } = (await judging.post('/verify', lab.bodies('snp')[0] ?? '')) as Answered;
    const own = body.endorsements.filter(({ source }: { source: string }) => source !== 'evidence');
    expect(own).not.toEqual([]);
    for (const { kind, sha256 } of own) {
      const answers = await Promise.all(asking.map((client) => client.get(`/endorsements/${sha256}`)));
      expect(answers.map((answer) => (answer as Answered).body.kind)).toEqual(asking.map(() => kind));
    }
    expect(workersThatAnswered()).toEqual(new Set([1, 2]));
    for (const client of [judging, ...asking]) client.close();
  });

  it('are one service to whoever watches it', async () => {
    await start();
    const client = new Client(service.managementUrl, 1);
    expect(await client.get('/readyz')).toMatchObject({ status: 200, body: { ready: true, problems: [] } });
    expect(await client.get('/livez')).toMatchObject({ status: 200, body: { live: true } });
    client.close();
    const clients = Array.from({ length: 4 }, () => new Client(service.url, 1));
    for (const each of clients) await each.ask({ body: lab.questions[0]?.body ?? '' });
    for (const each of clients) each.close();
    expect(await figure('veritee_decisions_total{outcome="allow"')).toBe(4);
    expect(await figure('veritee_workers ')).toBe(WORKERS);
    expect(await figure('process_resident_memory_bytes{worker="2"}')).toBeGreaterThan(0);
  });

  it('show the metrics of all beside the rest where there is no other listener', async () => {
    await start({ workers: WORKERS });
    const clients = Array.from({ length: 2 }, () => new Client(service.url, 1));
    const texts = await Promise.all(clients.map(async (client) => ((await client.get('/metrics')) as Answered).body));
    for (const client of clients) client.close();
    for (const text of texts) expect(text).toContain(`veritee_workers ${WORKERS}`);
  });

  it('survive the crash of one: no answer is wrong, and another one comes back', { timeout: 120_000 }, async () => {
    await start();
    const client = new Client(service.url, CLIENTS);
    const failed: string[] = [];
    let asked = 0;
    let isAsking = true;
    const askInTurn = async () => {
      while (isAsking) {
        const question = lab.questions[asked++ % lab.questions.length];
        const outcome = await client.post('/verify', question?.body ?? '');
        if (!isAnswered(outcome)) failed.push(outcome.error);
        else if (outcome.body.code !== 'overloaded') {
          expect(verdictOf(outcome)).toEqual(verdictFor(question as NonNullable<typeof question>));
        }
      }
    };
    const asking = Promise.all(Array.from({ length: CLIENTS }, askInTurn));
    for (let crash = 1; crash <= 3; crash++) {
      const [victim] = childrenOf(service.pid);
      process.kill(victim ?? 0, 'SIGKILL');
      await expect.poll(crashes, { timeout: 30_000 }).toBe(crash);
      await expect.poll(() => figure('veritee_workers '), { timeout: 30_000 }).toBe(WORKERS);
    }
    isAsking = false;
    await asking;
    client.close();
    // What was under way in the one that ended fails, and nothing else: at most as many as there are connections.
    expect(failed.length).toBeLessThanOrEqual(3 * CLIENTS);
    expect(new Set(failed)).toEqual(new Set(failed.length === 0 ? [] : ['ECONNRESET']));
    expect(service.logged('a worker has ended by itself, and is started again')).toHaveLength(3);
  });

  it('DEC-05 change over together to what was read once, under load', { timeout: 120_000 }, async () => {
    await writePolicy(1);
    await start({ ...MANAGED, policies: { directory: lab.policyFolder } });
    const client = new Client(service.url, CLIENTS);
    const body = JSON.stringify({ ...JSON.parse(lab.bodies('snp')[0] ?? ''), policy: 'versioned' });
    const digests = new Map<number, Set<string>>();
    let isExchanging = true;
    const askInTurn = async () => {
      while (isExchanging) {
        const { status, body: answer } = await client.ask({ body });
        const [{ version, sha256, outcome }] = answer.policies;
        expect([status, outcome]).toEqual([200, version % 2 === 0 ? 'allow' : 'deny']);
        digests.set(version, new Set([...(digests.get(version) ?? []), sha256]));
      }
    };
    const asking = Promise.all(Array.from({ length: CLIENTS }, askInTurn));
    for (let version = 2; version <= 10; version++) {
      await writePolicy(version);
      service.signal('SIGHUP');
      const taken = () => service.logged('policies reloaded').length;
      await expect.poll(taken, { timeout: 30_000 }).toBe((version - 1) * WORKERS);
    }
    isExchanging = false;
    await asking;
    client.close();
    expect([...digests.values()].every(({ size }) => size === 1)).toBe(true);
    expect(digests.size).toBeGreaterThan(5);
  });

  it('have what is in force after a crash, and not what the disk holds by then', { timeout: 120_000 }, async () => {
    await writePolicy(2);
    await start({ ...MANAGED, policies: { directory: lab.policyFolder } });
    await writeFile(policyFile(), '{', { mode: 0o600 });
    for (const victim of childrenOf(service.pid)) process.kill(victim, 'SIGKILL');
    await expect.poll(crashes, { timeout: 30_000 }).toBe(WORKERS);
    await expect.poll(() => figure('veritee_workers '), { timeout: 30_000 }).toBe(WORKERS);
    const client = new Client(service.url, CLIENTS);
    const body = JSON.stringify({ ...JSON.parse(lab.bodies('snp')[0] ?? ''), policy: 'versioned' });
    const answers = await Promise.all([1, 2, 3, 4].map(() => client.ask({ body })));
    client.close();
    for (const answer of answers) expect(answer.body).toMatchObject({ policies: [{ id: 'versioned', version: 2 }] });
  });

  it('end the service with 1 where they crash five times in a minute', { timeout: 120_000 }, async () => {
    await start();
    for (let crash = 1; crash <= 5; crash++) {
      await expect.poll(() => childrenOf(service.pid).length, { timeout: 30_000 }).toBe(WORKERS);
      await expect.poll(() => figure('veritee_workers '), { timeout: 30_000 }).toBe(WORKERS);
      process.kill(childrenOf(service.pid)[0] ?? 0, 'SIGKILL');
      if (crash < 5) await expect.poll(crashes, { timeout: 30_000 }).toBe(crash);
    }
    expect(await service.end()).toMatchObject({ exitCode: 1, signal: null });
    expect(service.logged('workers end too often: the service ends')).toHaveLength(1);
    expect(service.isAnythingLeft).toBe(false);
  });

  it('end where the process that watches them is killed', async () => {
    await start();
    service.signal('SIGKILL');
    await service.ended;
    await expect.poll(() => service.isAnythingLeft, { timeout: 30_000 }).toBe(false);
  });

  it('end with it where a terminal stops all of them', async () => {
    await start();
    service.signalGroup('SIGINT');
    expect(await service.end()).toMatchObject({ exitCode: 0, signal: null, stderr: '' });
    expect(service.isAnythingLeft).toBe(false);
  });

  it('do not start where the port is taken, and leave nothing', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as { readonly port: number };
    const command = await lab.command({ workers: WORKERS, listen: { port } });
    service = ServiceProcess.launch(command, { cwd: lab.workFolder });
    const { exitCode, stderr } = await service.end();
    taken.close();
    expect(exitCode).toBe(1);
    expect(stderr).toContain('EADDRINUSE');
    expect(service.isAnythingLeft).toBe(false);
  });
});

/** Replaces the policy in one step. Even versions let the guests pass, odd ones ask for more than they have. */
async function writePolicy(version: number): Promise<void> {
  const microcode = version % 2 === 0 ? 219 : 255;
  const minimums = { snp: { Milan: { snp: 24, microcode } } };
  const policy = { apiVersion: 'veritee/v1', id: 'versioned', version, accepts: ['snp'], minimums };
  await mkdir(lab.policyFolder, { recursive: true });
  await writeFile(join(lab.policyFolder, '.next'), JSON.stringify(policy), { mode: 0o600 });
  await rename(join(lab.policyFolder, '.next'), policyFile());
}

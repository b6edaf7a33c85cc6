import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ACCESS_PART } from '../../../src/composition/reloaded-access.js';
import type { RunningService } from '../../../src/composition/service.js';
import { type RunningWorkers, startWorkers, workersOf } from '../../../src/composition/service-workers.js';
import { SYSTEM_CLOCK } from '../../../src/composition/system.js';
import { openWorker } from '../../../src/composition/worker-process.js';
import type { Configuration } from '../../../src/config/configuration.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import { DISK_FILES } from '../../../src/files/disk-files.js';
import type { Clock } from '../../../src/model/ports.js';
import type { StartedWith } from '../../../src/workers/protocol.js';
import type { WorkerProcess } from '../../../src/workers/running-worker.js';
import { type SharedByWorkers, serveParent } from '../../../src/workers/served-worker.js';
import { VaultAnswerPki } from '../../lab/vault-answer-pki.js';
import { RecordingLog } from '../../unit/endorsements/recording-log.js';
import { lenientPolicy } from './lab-service.js';

/** Longer than a worker takes that comes back. */
const LONG = { timeout: 20_000 };

const KEYS_POLICY = lenientPolicy('keys', { freshness: 'strict', nonce: 'challenge', binding: 'required' });

const KEY = 'key of the operator';
const OTHER_KEY = 'another key of the operator';

let folder: string;
let log: RecordingLog;
let workers: RunningWorkers;
/** What each worker was given. */
let given: { readonly how: StartedWith; readonly shared: SharedByWorkers; readonly service: RunningService }[];
/** Ends the worker that was forked last. */
let crash: () => void;
/** How far the clock of all was set back. */
let behindMs: number;

const clock: Clock = { ...SYSTEM_CLOCK, now: () => new Date(Date.now() - behindMs) };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'veritee-workers-'));
  [log, given, behindMs] = [new RecordingLog(), [], 0];
});

afterEach(async () => {
  await workers.close();
  await rm(folder, { recursive: true });
});

/** A worker in this process: its messages are copied, as between processes. */
function workerHere(): WorkerProcess {
  let [toParent, toWorker, exit] = [(_: unknown) => {}, (_: unknown) => {}, (_: string) => {}];
  const send = (message: object, to: () => (message: unknown) => void) => {
    const copy = structuredClone(message);
    setImmediate(() => to()(copy));
  };
  const channel = {
    send: (message: object) => send(message, () => toParent),
    onMessage: (hear: (message: unknown) => void) => {
      toWorker = hear;
    },
  };
  void serveParent(channel, async (how, shared) => {
    // One process can listen at a port once.
    const port = how.worker === 1 ? how.port : 0;
    const service = await openWorker({ ...how, port }, shared, { log, clock });
    given.push({ how, shared, service });
    return service;
  }).then(() => exit('exit code 0'));
  crash = () => exit('SIGSEGV');
  return {
    send: (message) => send(message, () => toWorker),
    onMessage: (hear) => {
      toParent = hear;
    },
    onExit: (hear) => {
      exit = hear;
    },
    kill: () => exit('SIGKILL'),
  };
}

const configurationWith = (keys: object): Configuration =>
  loadConfiguration({
    text: JSON.stringify({
      decisions: { store: join(folder, 'veritee.db') },
      listen: { port: 0, management: { port: 0 } },
      callers: { operator: callerWith(KEY) },
      ...keys,
    }),
    environment: {},
  });

const callerWith = (key: string) => ({
  apiKeySha256: createHash('sha256').update(key).digest('hex'),
  expires: '2036-01-01',
  roles: ['metrics', 'verify'],
});

async function start(keys: object = {}, read: () => Configuration = () => configurationWith(keys)) {
  workers = await startWorkers(configurationWith(keys), {
    log,
    clock,
    files: DISK_FILES,
    fork: workerHere,
    readConfiguration: async () => read(),
  });
}

async function ask(path: string, key = KEY, url = workers.managementUrl) {
  const answer = await fetch(`${url}${path}`, { headers: { 'x-api-key': key } });
  return { status: answer.status, text: await answer.text() };
}

/** The worker is gone, and with it what it had open. */
async function crashed(): Promise<void> {
  await given[0]?.service.close();
  crash();
}

describe('The process that watches workers', () => {
  it('serves probes and metrics for them, to whom the callers say', async () => {
    await start();
    expect(JSON.parse((await ask('/readyz')).text)).toEqual({ ready: true, problems: [] });
    expect(JSON.parse((await ask('/livez')).text)).toEqual({ live: true });
    expect((await ask('/metrics', 'no key')).status).toBe(401);
    expect((await ask('/metrics')).text).toContain('veritee_policies_current{worker="1"} 1');
    expect((await ask('/metrics', KEY, workers.url)).status).toBe(404);
  });

  it('takes over callers at a reload, with the workers', async () => {
    let key = KEY;
    await start({}, () => configurationWith({ callers: { operator: callerWith(key) } }));
    key = OTHER_KEY;
    await workers.reload();
    const statuses = async (url: string | null, path: string) =>
      Promise.all([KEY, OTHER_KEY].map(async (each) => (await ask(path, each, url)).status));
    expect(await statuses(workers.managementUrl, '/metrics')).toEqual([401, 200]);
    expect(await statuses(workers.url, '/policies')).toEqual([401, 403]);
  });

  it('keeps the callers where the configuration cannot be read', async () => {
    await start({}, () => loadConfiguration({ text: 'callers: 7', environment: {} }));
    await workers.reload();
    expect((await ask('/metrics')).status).toBe(200);
    expect(log.of(/^callers and TLS material not reloaded/)).toMatchObject([{ problems: [expect.any(String)] }]);
  });

  it('GAT-02 remembers proofs for all of them, gate by gate', async () => {
    const gate = { audience: 'https://app.example', policy: 'azure-cvm-baseline', url: 'https://app.example' };
    await start({ gates: { web: gate, other: gate } });
    const [worker] = given;
    const use = (name: string, jti: string) => worker?.shared.calls.proof({ gate: name, jkt: 'key', jti });
    await use('web', 'one');
    await use('other', 'one');
    await use('web', 'two');
    await expect(use('web', 'one')).rejects.toMatchObject({ name: 'GateRefusal', code: 'dpop_replayed' });
    await expect(use('none', 'one')).rejects.toThrow('a gate that is not configured');
  });

  it('finds the endorsement that any of them has, whether the others answer or not', async () => {
    await start({ workers: 3 });
    const held = { kind: 'crl', sha256: 'ab', value: Uint8Array.of(0x30) } as const;
    const [first, second, third] = given.map(({ service }) => vi.spyOn(service, 'endorsement'));
    first?.mockReturnValue(null);
    second?.mockImplementation(() => {
      throw new Error('a fault');
    });
    third?.mockImplementation((tenant, sha256) => (tenant === 'red' && sha256 === 'ab' ? held : null));
    const find = (tenant: string) => given[0]?.shared.calls.endorsement({ tenant, sha256: 'ab' });
    expect(await find('red')).toEqual(held);
    expect(await find('blue')).toBeNull();
  });

  it('has as many as the machine has cores for it, where the configuration leaves it to it', () => {
    const count = (workers: unknown) => workersOf(configurationWith({ workers }));
    expect([count(3), count('auto')]).toEqual([3, availableParallelism()]);
  });

  it('has each worker listen at one port, and sign with one key', async () => {
    await start();
    const [worker] = given;
    expect(worker?.how.port).toBe(Number(new URL(workers.url).port));
    expect(worker?.how.ephemeralKey).toMatch(/^-----BEGIN PRIVATE KEY-----/);
  });

  it('reads roots, keys and policies for them, once', async () => {
    const file = join(folder, 'key.pem');
    await writeFile(file, 'no key');
    const starting = start({ receipts: { key: file } });
    await expect(starting).rejects.toThrow(`receipts.key: ${file}`);
    expect(given).toEqual([]);
    await start();
  });

  it('has one that comes back read roots of vaults as the others did, and not the file of by then', async () => {
    const roots = join(folder, 'vault-root.pem');
    await writeFile(roots, new VaultAnswerPki('vault.azure.net').rootPem());
    await writeFile(join(folder, 'keys.yaml'), KEYS_POLICY);
    const key = {
      vault: 'https://keys.vault.azure.net',
      name: 'disk',
      enc: 'RSA_AES_KEY_WRAP_384',
      policy: 'keys',
      anyMachine: true,
      roots,
    };
    await start({ keys: { db: key }, policies: { directory: folder } });
    await writeFile(roots, 'no certificate');
    await crashed();
    await expect.poll(() => given.length, LONG).toBe(2);
  });

  it('has one that comes back not believe a clock that the others refuse', async () => {
    await start();
    behindMs = 6 * 3_600_000;
    await crashed();
    await expect.poll(() => given.length, LONG).toBe(2);
    const [, again] = given;
    expect(await again?.service.readiness.execute()).toMatchObject({ ready: false, problems: [{ code: 'clock' }] });
  });

  it('listens at the port of the configuration, where it names one, and not at one that is taken', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as { readonly port: number };
    const listen = { port, management: { port: 0 } };
    await expect(start({ listen })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await new Promise((resolve) => taken.close(resolve));
    await start({ listen });
    expect(workers.url).toBe(`http://127.0.0.1:${port}`);
  });

  it('changes nothing itself where a worker cannot tell what it read', async () => {
    let key = KEY;
    await start({}, () => configurationWith({ callers: { operator: callerWith(key) } }));
    const service = given[0]?.service as { prepareReload: unknown };
    service.prepareReload = async () => Promise.reject(new Error('out of memory'));
    key = OTHER_KEY;
    await workers.reload();
    expect((await ask('/metrics', KEY)).text).toContain('veritee_last_reload_successful{part="all workers"} 0');
    expect((await ask('/metrics', OTHER_KEY)).status).toBe(401);
  });

  it('takes over no callers that a worker cannot take over', async () => {
    let key = KEY;
    await start({}, () => configurationWith({ callers: { operator: callerWith(key) } }));
    const service = given[0]?.service as RunningService;
    const prepareReload = service.prepareReload.bind(service);
    Object.assign(service, {
      prepareReload: async (read: () => Promise<Configuration>) => {
        const prepared = await prepareReload(read);
        const parts = prepared.parts.map((part) => ({ ...part, isFit: part.name !== ACCESS_PART && part.isFit }));
        return { ...prepared, parts };
      },
    });
    key = OTHER_KEY;
    await workers.reload();
    expect([(await ask('/metrics', KEY)).status, (await ask('/metrics', OTHER_KEY)).status]).toEqual([200, 401]);
  });

  it('is ready and live where each of them is', async () => {
    await start({ workers: 2 });
    const [first, second] = given.map(({ service }) => service);
    const states = async () => (await Promise.all([ask('/readyz'), ask('/livez')])).map(({ status }) => status);
    expect(await states()).toEqual([200, 200]);
    const problems = [{ code: 'clock', reason: 'it was set' }];
    Object.assign(second as object, { readiness: { execute: async () => ({ ready: false, problems }) } });
    await expect.poll(states, LONG).toEqual([503, 200]);
    expect(JSON.parse((await ask('/readyz')).text).problems).toEqual(problems);
    Object.assign(first as object, { liveness: { execute: async () => ({ live: false, problems }) } });
    await expect.poll(states, LONG).toEqual([503, 503]);
  });

  it('is not ready where none of them listens', async () => {
    await start();
    await crashed();
    const { status, text } = await ask('/readyz');
    expect([status, JSON.parse(text).problems[0]?.code]).toEqual([503, 'starting']);
    await expect.poll(() => given.length, LONG).toBe(2);
  });

  it('is not ready before they are, nor once it stops', async () => {
    let readyz: Promise<{ text: string }> | null = null;
    await start();
    const { managementUrl } = workers;
    const closing = workers.close();
    await expect
      .poll(async () => {
        readyz ??= ask('/readyz', KEY, managementUrl);
        const { text } = await readyz;
        readyz = null;
        return JSON.parse(text).problems[0]?.code;
      })
      .toBe('stopping');
    await closing;
  });
});

import { execFile } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { call, challenge, LabService, lenientPolicy, post, verdictOf } from '../integration/service/lab-service.js';
import { PostgresReplicas } from '../integration/service/postgres-replicas.js';
import { isWithoutPostgres } from '../integration/stores/postgres-server.js';
import { labProcess } from './lab-process.js';
import { ServiceProcess } from './service-process.js';

const AUDIENCE = 'https://gate.example';
const POLICY = lenientPolicy('tracking', {
  nonce: 'challenge',
  freshness: 'strict',
  require: { tpm: { trackResets: true } },
});

const ALLOW = ['allow'];
const USED = ['deny', 'nonce_used'];
const VOID = ['indeterminate', 'nonce_store'];
const NO_ANSWER = ['no answer'];

/** Where the service is killed, the answers to one request before, after and once more, and the allows in the log then. */
type Row = readonly [point: string, killAt: string, answers: readonly (readonly string[])[], recorded: number];

/** From the use of the challenge on, both stores say the same. */
const ONCE_USED: readonly Row[] = [
  ['between consume and judge', 'after consume', [NO_ANSWER, USED, USED], 0],
  ['between judge and advance', 'before advance', [NO_ANSWER, USED, USED], 0],
  ['between advance and sign', 'after advance', [NO_ANSWER, USED, USED], 0],
  ['between sign and record', 'after sign', [NO_ANSWER, USED, USED], 0],
  ['between record and answer', 'after record', [NO_ANSWER, USED, USED], 1],
  ['after the answer', 'after answer', [ALLOW, USED, USED], 1],
];

/** A restart of the service voids the challenges of a SQLite file: it may be a copy of before they were used. */
const OVER_SQLITE: readonly Row[] = [['before consume', 'before consume', [NO_ANSWER, VOID, VOID], 0], ...ONCE_USED];

/** The database knows an unused challenge after a restart of the service. So the second process answers with the one allow. */
const OVER_POSTGRES: readonly Row[] = [['before consume', 'before consume', [NO_ANSWER, ALLOW, USED], 1], ...ONCE_USED];

/** A service that is killed and started again, with one store. */
class KilledService {
  readonly #lab: LabService;
  readonly #keys: object;
  readonly #running: ServiceProcess[] = [];

  /** @param keys of the configuration about its store */
  constructor(lab: LabService, keys: object) {
    this.#lab = lab;
    this.#keys = keys;
  }

  async start(killAt: string | null = null): Promise<ServiceProcess> {
    // Unless a test is about time, a busy machine has much of it.
    const options = { ca: this.#lab.kds.authorityPem, storeTimeoutMs: 10_000 };
    const preload = `--import=${join(inject('installation'), 'dist/kill-at.js')}`;
    // Who asks is an auditor then, since there are no callers.
    const keys = { ...this.#keys, historical: true };
    const command = await labProcess(this.#lab, keys, { ...options, node: killAt === null ? [] : [preload] });
    const environment = killAt === null ? {} : { KILL_AT: killAt };
    await mkdir(this.#file('work'), { recursive: true });
    const service = await ServiceProcess.start(command, { cwd: this.#file('work'), environment });
    this.#running.push(service);
    return service;
  }

  body(nonce: Uint8Array): string {
    return this.#lab.verifyBody({ nonce, members: { policy: 'tracking', audience: AUDIENCE } });
  }

  /** The problems that `veritee decisions verify` finds. */
  async problems(): Promise<readonly unknown[]> {
    const command = [join(inject('installation'), 'dist/main.js'), 'decisions', 'verify', '--json'];
    const configured = [...command, '--config', this.#file('veritee.json')];
    const { stdout } = await promisify(execFile)(process.execPath, configured, { cwd: this.#file('work') });
    return JSON.parse(stdout).problems;
  }

  /** Ends all processes, and takes away what they wrote. */
  async reset(): Promise<void> {
    await Promise.all(this.#running.splice(0).map((service) => service.close()));
    await Promise.all(['work', 'data'].map((name) => rm(this.#file(name), { recursive: true, force: true })));
  }

  #file(name: string): string {
    return join(this.#lab.root, name);
  }
}

/** The answer to a request, or that there is none. */
async function ask({ url }: ServiceProcess, body: string): Promise<{ verdict: readonly unknown[]; id: string | null }> {
  try {
    const answer = await post(url, '/verify', body);
    return { verdict: verdictOf(answer), id: answer.body.decisionId };
  } catch {
    return { verdict: NO_ANSWER, id: null };
  }
}

/** Asks a service that is killed, then twice another one with the same store. */
async function expectOneAllow(killed: KilledService, [, killAt, answers, recorded]: Row): Promise<void> {
  const first = await killed.start(killAt);
  const body = killed.body(await challenge(first, { audience: AUDIENCE }));
  const told = [await ask(first, body)];
  expect((await first.end()).signal).toBe('SIGKILL');
  const second = await killed.start();
  told.push(await ask(second, body), await ask(second, body));
  expect(told.map(({ verdict }) => verdict)).toEqual(answers);
  const { body: listed } = await call(second.url, '/decisions?decision=allow');
  const ids = listed.decisions.map(({ decisionId }: { readonly decisionId: string }) => decisionId);
  expect(ids).toHaveLength(recorded);
  expect(ids).toEqual(expect.arrayContaining(told.filter(({ verdict }) => verdict[0] === 'allow').map(({ id }) => id)));
  expect(await killed.problems()).toEqual([]);
}

describe('a service that is killed at a step of a request, over SQLite', () => {
  let lab: LabService;
  let killed: KilledService;

  beforeAll(async () => {
    lab = await LabService.create();
    await lab.writePolicy(POLICY);
    killed = new KilledService(lab, {});
  });

  afterEach(() => killed.reset());

  afterAll(() => lab.close());

  it.each(OVER_SQLITE)('FRS-02, STO-06 %s: gives one allow at most, and records it', async (...row) => {
    await expectOneAllow(killed, row);
  });
});

describe.skipIf(isWithoutPostgres('a service that is killed at a step of a request'))(
  'a service that is killed at a step of a request, over PostgreSQL',
  () => {
    let replicas: PostgresReplicas;
    let killed: KilledService;

    beforeAll(async () => {
      replicas = await PostgresReplicas.create();
      await replicas.lab.writePolicy(POLICY);
      killed = new KilledService(replicas.lab, replicas.shared);
    });

    afterEach(async () => {
      await killed.reset();
      await replicas.reset();
    });

    afterAll(() => replicas.close());

    it.each(OVER_POSTGRES)('FRS-02, STO-06 %s: gives one allow at most, and records it', async (...row) => {
      await expectOneAllow(killed, row);
    });
  },
);

import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RunningService, World } from '../../../src/app/service.js';
import { p256 } from '../../unit/receipts/keys.js';
import { call as callOnce } from '../http/exchange.js';
import { FaultyProxy } from '../stores/faulty-proxy.js';
import { PATIENT } from '../stores/shared-challenges.js';
import { freePort, isWithoutValkey, Valkey } from '../stores/valkey.js';
import { base64Url, challenge, LabService, lenientPolicy, NONCE, post, verdictOf } from './lab-service.js';

const ANY_NONCE = lenientPolicy('any-nonce', { nonce: 'any' });
const UNDECIDED = ['indeterminate', 'nonce_store'];
const IN_STORE = 'challenges are kept in a shared store: a restart or failover of it voids those that are outstanding';

let lab: LabService;
let valkey: Valkey;
let key: string;
let receiptKey: string;
const running: RunningService[] = [];

/** A replica of the service. Unless a test is about time, a busy machine has much of it. */
async function replica(store: unknown = valkey.url, world: Partial<World> = { storeTimeoutMs: 10_000 }) {
  const service = await lab.start(
    { challenges: { store, key }, receipts: { key: receiptKey } },
    world,
    `replica-${running.length}`,
  );
  running.push(service);
  return service;
}

/** Waits until there are challenges again. */
function isBack(service: RunningService): Promise<Uint8Array> {
  return vi.waitFor(() => challengeOnce(service), PATIENT);
}

async function challengeOnce({ url }: RunningService): Promise<Uint8Array> {
  const { status, body } = await refusable(url);
  expect(status).toBe(200);
  return Buffer.from(body.nonce, 'base64url');
}

/** Asks for a challenge, and once only: a refusal is an answer. */
function refusable(url: string) {
  const headers = { 'content-type': 'application/json' };
  return callOnce(url, '/challenges', { method: 'POST', headers, body: '{}' });
}

describe.skipIf(isWithoutValkey('replicas of the service that share challenges'))(
  'replicas that share challenges',
  () => {
    beforeAll(async () => {
      lab = await LabService.create();
      await lab.writePolicy(ANY_NONCE);
      key = join(lab.root, 'challenges.key');
      await writeFile(key, randomBytes(32));
      receiptKey = join(lab.root, 'receipts.pem');
      await writeFile(receiptKey, p256().export({ type: 'pkcs8', format: 'pem' }));
      valkey = await Valkey.start();
    });

    beforeEach(() => valkey.command('flushall'));

    afterEach(async () => {
      await Promise.all(running.splice(0).map((service) => service.close()));
    });

    afterAll(async () => {
      await lab.close();
      await valkey.close();
    });

    it('FRS-02 take each from any of them, and only once among them', async () => {
      const [one, other] = [await replica(), await replica()];
      const nonce = await challenge(one);
      expect(verdictOf(await lab.verify(other, { nonce }))).toEqual(['allow']);
      for (const service of [one, other]) {
        expect(verdictOf(await lab.verify(service, { nonce }))).toEqual(['deny', 'nonce_used']);
        const anyNonce = await lab.verify(service, { nonce, members: { policy: 'any-nonce' } });
        expect(verdictOf(anyNonce)).toEqual(['deny', 'nonce_used']);
      }
    });

    it('FRS-02 allow one of a hundred requests at once, and deny the rest', async () => {
      const services = [await replica(), await replica()];
      const [first] = services;
      if (first === undefined) throw new Error('no service');
      const body = lab.verifyBody({ nonce: await challenge(first) });
      const answers = await Promise.all(
        Array.from({ length: 100 }, (_, index) => post(services[index % 2]?.url ?? '', '/verify', body)),
      );
      const verdicts = answers.map((answer) => verdictOf(answer).join(' '));
      expect(verdicts.filter((verdict) => verdict === 'allow')).toHaveLength(1);
      expect(verdicts.filter((verdict) => verdict === 'deny nonce_used')).toHaveLength(99);
    });

    it('FRS-07 know them after a restart: unused ones are good, used ones are used', async () => {
      const before = await replica();
      const [unused, used] = [await challenge(before), await challenge(before)];
      expect(verdictOf(await lab.verify(before, { nonce: used }))).toEqual(['allow']);
      await before.close();
      const after = await replica();
      expect(verdictOf(await lab.verify(after, { nonce: used }))).toEqual(['deny', 'nonce_used']);
      expect(verdictOf(await lab.verify(after, { nonce: unused }))).toEqual(['allow']);
    });

    it('FRS-01 keep their scope', async () => {
      const [one, other] = [await replica(), await replica()];
      const nonce = await challenge(one, { audience: 'https://gate.example' });
      expect(verdictOf(await lab.verify(other, { nonce }))).toEqual(['deny', 'nonce_scope']);
      const fitting = { nonce, members: { audience: 'https://gate.example' } };
      expect(verdictOf(await lab.verify(other, fitting))).toEqual(['allow']);
    });

    it('STO-01 cannot tell after the store was killed and went back to a snapshot of before one was used', async () => {
      const service = await replica();
      const [used, unused] = [await challenge(service), await challenge(service)];
      await valkey.command('save');
      expect(verdictOf(await lab.verify(service, { nonce: used }))).toEqual(['allow']);
      await valkey.kill();
      expect(verdictOf(await lab.verify(service, { nonce: unused }))).toEqual(UNDECIDED);
      const { status, body } = await refusable(service.url);
      expect([status, body.code]).toEqual([503, 'overloaded']);
      await valkey.run();
      const fresh = await isBack(service);
      for (const nonce of [used, unused]) {
        const answer = await lab.verify(service, { nonce });
        expect([verdictOf(answer), answer.body.retryable]).toEqual([UNDECIDED, true]);
      }
      expect(verdictOf(await lab.verify(service, { nonce: fresh }))).toEqual(['allow']);
    });

    it('STO-04 cannot tell where the store is gone in the middle of an answer, and ask nobody twice', async () => {
      const proxy = await FaultyProxy.start(valkey.port);
      const service = await replica(`redis://127.0.0.1:${proxy.port}`);
      const nonce = await challenge(service);
      const body = lab.verifyBody({ nonce });
      proxy.failNext('half the answer passes');
      expect(verdictOf(await post(service.url, '/verify', body))).toEqual(UNDECIDED);
      await isBack(service);
      expect(verdictOf(await post(service.url, '/verify', body))).toEqual(['deny', 'nonce_used']);
      await service.close();
      await proxy.close();
    });

    it('FRS-03 cannot tell while the store is slow, issue none then, and have nothing of their own to ask instead', async () => {
      const service = await replica(valkey.url, { storeTimeoutMs: 1000 });
      const nonce = await isBack(service);
      const other = await isBack(service);
      const bodies = [nonce, other].map((each) => lab.verifyBody({ nonce: each }));
      valkey.pause();
      try {
        expect(verdictOf(await post(service.url, '/verify', bodies[0] ?? ''))).toEqual(UNDECIDED);
        const { status, body } = await refusable(service.url);
        expect([status, body.code]).toEqual([503, 'overloaded']);
        // Requests that need no store are verified.
        expect(verdictOf(await lab.verify(service, { nonce: NONCE }))).toEqual(['allow']);
      } finally {
        valkey.resume();
      }
      await isBack(service);
      expect(verdictOf(await post(service.url, '/verify', bodies[1] ?? ''))).toEqual(['allow']);
    });

    it('STO-02 do not start with another key than the others', async () => {
      await replica();
      const own = key;
      try {
        key = join(lab.root, 'another.key');
        await expect(replica()).rejects.toThrow(
          /^challenges\.store: cannot be used: 127\.0\.0\.1:\d+: holds challenges of replicas with another challenge key/,
        );
      } finally {
        await rm(key);
        key = own;
      }
      await replica();
    });

    it('STO-03 do not start with a store that may drop what it holds', async () => {
      await valkey.command('config', 'set', 'maxmemory-policy', 'allkeys-lfu');
      try {
        await expect(replica()).rejects.toThrow(
          /^challenges\.store: cannot be used: .*maxmemory-policy is allkeys-lfu, and has to be noeviction/,
        );
      } finally {
        await valkey.command('config', 'set', 'maxmemory-policy', 'noeviction');
      }
    });

    it('do not start without a store, which they wait for a few seconds', async () => {
      const port = await freePort();
      await expect(replica(`redis://127.0.0.1:${port}`)).rejects.toThrow(
        `challenges.store: cannot be used: 127.0.0.1:${port}: connect ECONNREFUSED`,
      );
    });

    it('say where challenges are, and neither what they are nor how to get in', async () => {
      const password = 'tell-nobody';
      await valkey.command('acl', 'setuser', 'veritee', 'on', `>${password}`, '~*', '+@all');
      try {
        const from = lab.output.length;
        const nodes = [`redis://veritee:${password}@127.0.0.1:${valkey.port}/1`];
        const service = await replica({ nodes });
        const nonce = await challenge(service);
        await valkey.command('acl', 'setuser', 'veritee', '-eval');
        expect(verdictOf(await lab.verify(service, { nonce }))).toEqual(UNDECIDED);
        await service.close();
        const written = lab.output.slice(from);
        expect(written).toContain(IN_STORE);
        expect(written).toContain('store refuses a command');
        expect(written).not.toContain(password);
        expect(written).not.toContain(base64Url(nonce));
      } finally {
        await valkey.command('acl', 'deluser', 'veritee');
      }
    });
  },
);

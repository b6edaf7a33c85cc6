import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RunningService, World } from '../../../src/app/service.js';
import { jwkThumbprint } from '../../../src/crypto/jwk-thumbprint.js';
import { createVirtualMachine, type VirtualMachine } from '../../lab/index.js';
import { p256 } from '../../unit/receipts/keys.js';
import { PATIENT } from '../stores/shared-challenges.js';
import { isWithoutValkey, Valkey } from '../stores/valkey.js';
import {
  base64Url,
  call,
  LabService,
  lenientPolicy,
  NONCE,
  PKI,
  post,
  sha256Hex,
  verdictOf,
  WITHOUT_ENDORSEMENTS,
} from './lab-service.js';

const [ALLOW, DENY, UNDECIDED] = [['allow'], ['deny', 'tpm_reset'], ['indeterminate', 'tpm_reset']];
const TENANTS = { one: 'key-of-one', two: 'key-of-two' };

let lab: LabService;
let valkey: Valkey;
let keys: object;
const running: RunningService[] = [];

/** A replica of the service, which has a folder of its own. Unless a test is about time, a busy machine has much of it. */
async function replica(name: string, world: Partial<World> = {}, configuration: object = {}): Promise<RunningService> {
  const service = await lab.start({ ...keys, ...configuration }, { storeTimeoutMs: 10_000, ...world }, name);
  running.push(service);
  return service;
}

/** Another VM on the same machine, with a vTPM of its own. */
const newVm = () => createVirtualMachine({ platform: lab.vm.platform, pki: PKI });
const thumbprintOf = (vm: VirtualMachine) => String(jwkThumbprint(vm.vtpm.publicJwk));
const fileOf = (vm: VirtualMachine, name: string) => join(lab.root, name, 'tpm-resets', `ak-${thumbprintOf(vm)}`);

interface Asking {
  readonly policy?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The answer to a quote of a VM with this count. */
function ask({ url }: RunningService, vm: VirtualMachine, resetCount: number, asking: Asking = {}) {
  const { policy = 'tracking', headers = {} } = asking;
  const quote = { resetCount, restartCount: 0 };
  const evidence = vm.wireEvidence({ nonce: NONCE, endorsements: WITHOUT_ENDORSEMENTS, quote });
  return post(url, '/verify?checks=all', JSON.stringify({ evidence, nonce: base64Url(NONCE), policy }), headers);
}

const verdict = async (...asked: Parameters<typeof ask>) => verdictOf(await ask(...asked));
const dropCounts = () => valkey.command('del', '{veritee}:resets:counts:default', '{veritee}:resets:risen:default');

describe.skipIf(isWithoutValkey('replicas of the service that share reset counts'))(
  'replicas that share reset counts',
  () => {
    beforeAll(async () => {
      lab = await LabService.create();
      await lab.writePolicy(lenientPolicy('tracking', { require: { tpm: { trackResets: true } } }));
      await lab.writePolicy(lenientPolicy('open'));
      const [challengeKey, receiptKey] = [join(lab.root, 'challenges.key'), join(lab.root, 'receipts.pem')];
      await writeFile(challengeKey, randomBytes(32));
      await writeFile(receiptKey, p256().export({ type: 'pkcs8', format: 'pem' }));
      valkey = await Valkey.start();
      keys = { challenges: { store: valkey.url, key: challengeKey }, receipts: { key: receiptKey } };
    });

    beforeEach(() => valkey.command('flushall'));

    afterEach(async () => {
      await Promise.all(running.splice(0).map((service) => service.close()));
    });

    afterAll(async () => {
      await lab.close();
      await valkey.close();
    });

    it('TPM-10 deny a vTPM that goes back at a replica that has not seen it before', async () => {
      const [one, two] = [await replica('seen-1'), await replica('seen-2')];
      const vm = await newVm();
      expect(await verdict(one, vm, 9)).toEqual(ALLOW);
      expect(await verdict(one, vm, 5)).toEqual(DENY);
      const { body } = await ask(two, vm, 5);
      expect([body.decision, ...body.reasons]).toEqual(DENY);
      expect(body.checks).toContainEqual(
        expect.objectContaining({
          id: 'tpm_reset',
          result: 'fail',
          expected: { resetCount: 9, restartCount: 0 },
          actual: { resetCount: 5, restartCount: 0 },
        }),
      );
      expect(await verdict(two, vm, 9)).toEqual(ALLOW);
      expect(await verdict(two, vm, 10)).toEqual(ALLOW);
      expect(await verdict(one, vm, 9)).toEqual(DENY);
    });

    it('TPM-10 twin: judge no vTPM by the counts of another', async () => {
      const [one, two] = [await replica('twin-1'), await replica('twin-2')];
      expect(await verdict(one, await newVm(), 9)).toEqual(ALLOW);
      expect(await verdict(two, await newVm(), 1)).toEqual(ALLOW);
    });

    it('TPM-10 end with the highest counts of requests at once', async () => {
      const services = [await replica('once-1'), await replica('once-2')];
      const vm = await newVm();
      const given = [5, 9, 3, 7, 1, 8, 2, 6, 4];
      const verdicts = await Promise.all(
        given.map((resetCount, index) => verdict(services[index % 2] as RunningService, vm, resetCount)),
      );
      expect(verdicts[given.indexOf(9)]).toEqual(ALLOW);
      for (const each of verdicts) expect([ALLOW, DENY]).toContainEqual(each);
      for (const service of services) expect(await verdict(service, vm, 8)).toEqual(DENY);
    });

    it('TPM-10 keep counts of their own: a store that has lost them gets them back of who has them', async () => {
      const [one, two] = [await replica('lost-1'), await replica('lost-2')];
      const vm = await newVm();
      expect(await verdict(one, vm, 9)).toEqual(ALLOW);
      expect(await readFile(fileOf(vm, 'lost-1'), 'utf8')).toBe('9 0\n');
      await dropCounts();
      expect(await verdict(one, vm, 5)).toEqual(DENY);
      expect(await verdict(two, vm, 5)).toEqual(DENY);
    });

    it('TPM-10 go on from what a replica remembered before it shared anything', async () => {
      const alone = await lab.start({}, {}, 'grown-1');
      const vm = await newVm();
      expect(await verdict(alone, vm, 9)).toEqual(ALLOW);
      await alone.close();
      const [one, two] = [await replica('grown-1'), await replica('grown-2')];
      expect(await verdict(one, vm, 8)).toEqual(DENY);
      expect(await verdict(two, vm, 8)).toEqual(DENY);
    });

    it('TPM-10 allow nothing by a policy that tracks resets while the store is gone, and other policies go on', async () => {
      const own = await Valkey.start();
      const one = await replica('gone', {}, { challenges: { ...challenges(), store: own.url } });
      const vm = await newVm();
      try {
        expect(await verdict(one, vm, 7)).toEqual(ALLOW);
        await own.kill();
        const { body } = await ask(one, vm, 8);
        expect([body.decision, body.reasons, body.retryable]).toEqual(['indeterminate', ['tpm_reset'], true]);
        expect(await verdict(one, vm, 7)).toEqual(UNDECIDED);
        expect(await verdict(one, vm, 7, { policy: 'open' })).toEqual(ALLOW);
        expect(String((await call(one.url, '/metrics')).body)).toMatch(/^veritee_tpm_reset_memory_failures_total 2$/m);
        await own.run();
        await vi.waitFor(async () => expect(await verdict(one, vm, 8)).toEqual(ALLOW), PATIENT);
        expect(await verdict(one, vm, 7)).toEqual(DENY);
      } finally {
        await one.close();
        await own.close();
      }
      const outage = /"store":"[\d.:]+","of":"resets","why":"[^"]+","msg":"store out of reach"/;
      expect(lab.output).toMatch(outage);
    });

    it('TPM-10 allow nothing new that the store does not keep', async () => {
      const one = await replica('full');
      const vm = await newVm();
      expect(await verdict(one, vm, 7)).toEqual(ALLOW);
      await valkey.command('config', 'set', 'maxmemory', '1');
      try {
        expect(await verdict(one, vm, 7)).toEqual(ALLOW);
        expect(await verdict(one, vm, 8)).toEqual(UNDECIDED);
        expect(await verdict(one, await newVm(), 1)).toEqual(UNDECIDED);
      } finally {
        await valkey.command('config', 'set', 'maxmemory', '0');
      }
      expect(await verdict(one, vm, 8)).toEqual(ALLOW);
    });

    it('TPM-10 take an entry that no replica has sealed for damaged, and never for none', async () => {
      const [one, two] = [await replica('spoilt-1'), await replica('spoilt-2')];
      const vm = await newVm();
      expect(await verdict(one, vm, 9)).toEqual(ALLOW);
      const field = ['{veritee}:resets:counts:default', thumbprintOf(vm)] as const;
      for (const spoilt of ['', '5 0', `5 0 ${'A'.repeat(43)}`, `4294967295 0 ${'A'.repeat(43)}`]) {
        await valkey.command('hset', ...field, spoilt);
        const { body } = await ask(two, vm, 10);
        expect([body.decision, body.reasons, body.retryable]).toEqual(['indeterminate', ['tpm_reset'], false]);
        expect(await verdict(one, vm, 10)).toEqual(UNDECIDED);
      }
      expect(lab.output).toContain('not two counts that a replica with this challenge key has sealed');
      await valkey.command('hdel', ...field);
      expect(await verdict(one, vm, 8)).toEqual(DENY);
    });

    it('TPM-10 keep tenants apart', async () => {
      const callers = Object.fromEntries(
        Object.entries(TENANTS).map(([tenant, key]) => [
          tenant,
          { apiKeySha256: sha256Hex(key), expires: '2099-12-31', roles: ['verify'], policies: ['tracking'], tenant },
        ]),
      );
      const configuration = { tenants: lab.tenants('one', 'two'), callers };
      const [one, two] = [await replica('tenants-1', {}, configuration), await replica('tenants-2', {}, configuration)];
      const of = (tenant: keyof typeof TENANTS) => ({ headers: { 'x-api-key': TENANTS[tenant] } });
      const vm = await newVm();
      expect(await verdict(one, vm, 9, of('one'))).toEqual(ALLOW);
      expect(await verdict(two, vm, 5, of('two'))).toEqual(ALLOW);
      expect(await verdict(two, vm, 5, of('one'))).toEqual(DENY);
      expect(await verdict(one, vm, 4, of('two'))).toEqual(DENY);
    });

    it('say at their start that they share counts', async () => {
      await replica('said');
      expect(lab.output).toContain('reset counts of vTPMs are shared with other replicas');
    });
  },
);

/** The section of the configuration that every replica has. */
function challenges(): object {
  return (keys as { readonly challenges: object }).challenges;
}

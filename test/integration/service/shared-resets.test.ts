import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { RunningService } from '../../../src/app/service.js';
import { jwkThumbprint } from '../../../src/crypto/jwk-thumbprint.js';
import { createVirtualMachine, type VirtualMachine } from '../../lab/index.js';
import { PATIENT } from '../stores/postgres-challenges.js';
import { isWithoutPostgres } from '../stores/postgres-server.js';
import {
  base64Url,
  call,
  lenientPolicy,
  NONCE,
  PKI,
  post,
  sha256Hex,
  verdictOf,
  WITHOUT_ENDORSEMENTS,
} from './lab-service.js';
import { PostgresReplicas } from './postgres-replicas.js';

const [ALLOW, DENY, UNDECIDED] = [['allow'], ['deny', 'tpm_reset'], ['indeterminate', 'tpm_reset']];
const TENANTS = { one: 'key-of-one', two: 'key-of-two' };
/** What is asked must not wait for a log that is gone too. */
const WITHOUT_LOG = { decisions: { log: 'off' } };

let replicas: PostgresReplicas;

/** A replica of the service, which has a folder of its own. */
const replica = (name: string, keys: object = {}) => replicas.start({ ...WITHOUT_LOG, ...keys }, {}, name);

/** Another VM on the same machine, with a vTPM of its own. */
const newVm = () => createVirtualMachine({ platform: replicas.lab.vm.platform, pki: PKI });
const thumbprintOf = (vm: VirtualMachine) => String(jwkThumbprint(vm.vtpm.publicJwk));
const fileOf = (vm: VirtualMachine, name: string) =>
  join(replicas.lab.root, name, 'data', 'tpm-resets', `ak-${thumbprintOf(vm)}`);

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

describe.skipIf(isWithoutPostgres('replicas of the service that share reset counts'))(
  'replicas that share reset counts',
  () => {
    beforeAll(async () => {
      replicas = await PostgresReplicas.create();
      await replicas.lab.writePolicy(lenientPolicy('tracking', { require: { tpm: { trackResets: true } } }));
      await replicas.lab.writePolicy(lenientPolicy('open'));
    });

    afterEach(() => replicas.reset());

    afterAll(() => replicas.close());

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

    it('TPM-10 keep counts of their own: a store that has lost or lowered them gets them back of who has them', async () => {
      const [one, two] = [await replica('lost-1'), await replica('lost-2')];
      const vm = await newVm();
      expect(await verdict(one, vm, 9)).toEqual(ALLOW);
      expect(await readFile(fileOf(vm, 'lost-1'), 'utf8')).toBe('9 0\n');
      for (const statement of ['TRUNCATE reset_counts', 'UPDATE reset_counts SET reset_count = 4']) {
        await replicas.logs.sql(statement);
        expect(await verdict(one, vm, 5)).toEqual(DENY);
        expect(await verdict(two, vm, 5)).toEqual(DENY);
      }
    });

    it('TPM-10 go on from what a replica remembered before it shared anything', async () => {
      const alone = await replicas.lab.start({}, {}, join('grown-1', 'data'));
      const vm = await newVm();
      expect(await verdict(alone, vm, 9)).toEqual(ALLOW);
      await alone.close();
      const [one, two] = [await replica('grown-1'), await replica('grown-2')];
      expect(await verdict(one, vm, 8)).toEqual(DENY);
      expect(await verdict(two, vm, 8)).toEqual(DENY);
    });

    it('TPM-10 allow nothing by a policy that tracks resets while the database is gone, and other policies go on', async () => {
      const one = await replica('gone');
      const vm = await newVm();
      expect(await verdict(one, vm, 7)).toEqual(ALLOW);
      await replicas.server.stop('immediate');
      const { body } = await ask(one, vm, 8);
      expect([body.decision, body.reasons, body.retryable]).toEqual(['indeterminate', ['tpm_reset'], true]);
      expect(await verdict(one, vm, 7)).toEqual(UNDECIDED);
      expect(await verdict(one, vm, 7, { policy: 'open' })).toEqual(ALLOW);
      expect(String((await call(one.url, '/metrics')).body)).toMatch(/^veritee_tpm_reset_memory_failures_total 2$/m);
      await replicas.server.run();
      await vi.waitFor(async () => expect(await verdict(one, vm, 8)).toEqual(ALLOW), PATIENT);
      expect(await verdict(one, vm, 7)).toEqual(DENY);
      expect(replicas.lab.output).toMatch(/"why":"[^"]+","msg":"memory of vTPM resets cannot be used/);
    });

    it('TPM-10 allow nothing new that the database does not keep', async () => {
      const one = await replica('full');
      const vm = await newVm();
      expect(await verdict(one, vm, 7)).toEqual(ALLOW);
      await replicas.logs.sql('REVOKE INSERT, UPDATE ON reset_counts FROM service');
      try {
        expect(await verdict(one, vm, 8)).toEqual(UNDECIDED);
        expect(await verdict(one, await newVm(), 1)).toEqual(UNDECIDED);
      } finally {
        await replicas.logs.sql('GRANT INSERT, UPDATE ON reset_counts TO service');
      }
      expect(await verdict(one, vm, 8)).toEqual(ALLOW);
    });

    it('TPM-10 keep tenants apart', async () => {
      const callers = Object.fromEntries(
        Object.entries(TENANTS).map(([tenant, key]) => [
          tenant,
          { apiKeySha256: sha256Hex(key), expires: '2099-12-31', roles: ['verify'], policies: ['tracking'], tenant },
        ]),
      );
      const configuration = { tenants: replicas.lab.tenants('one', 'two'), callers };
      const [one, two] = [await replica('tenants-1', configuration), await replica('tenants-2', configuration)];
      const of = (tenant: keyof typeof TENANTS) => ({ headers: { 'x-api-key': TENANTS[tenant] } });
      const vm = await newVm();
      expect(await verdict(one, vm, 9, of('one'))).toEqual(ALLOW);
      expect(await verdict(two, vm, 5, of('two'))).toEqual(ALLOW);
      expect(await verdict(two, vm, 5, of('one'))).toEqual(DENY);
      expect(await verdict(one, vm, 4, of('two'))).toEqual(DENY);
    });
  },
);

import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { RunningService } from '../../../src/app/service.js';
import { jwkThumbprint } from '../../../src/crypto/jwk-thumbprint.js';
import { createVirtualMachine, type VirtualMachine } from '../../lab/index.js';
import {
  base64Url,
  call,
  LabService,
  lenientPolicy,
  NONCE,
  PKI,
  post,
  verdictOf,
  WITHOUT_ENDORSEMENTS,
} from './lab-service.js';

/** No mode of a folder stops root: a write to one that is read-only fails as it would for another user. */
const disk = vi.hoisted(() => ({ isReadOnly: false }));
vi.mock('../../../src/stores/durable-file.js', async (original) => {
  const real = await original<typeof import('../../../src/stores/durable-file.js')>();
  return {
    ...real,
    writeDurably: async (path: string, bytes: Uint8Array | string) => {
      if (disk.isReadOnly) throw Object.assign(new Error('permission denied'), { code: 'EACCES', syscall: 'open' });
      await real.writeDurably(path, bytes);
    },
  };
});

/** `require.tpm.trackResets` over HTTP: quotes of one vTPM, whose counters go up and back. */

const TRACKING = { require: { tpm: { trackResets: true } } };

const lab = await LabService.create();
let service: RunningService;

beforeAll(async () => {
  await lab.writePolicy(lenientPolicy('tracking', TRACKING));
  await lab.writePolicy(lenientPolicy('open'));
  await lab.writePolicy(
    lenientPolicy('refusing', { ...TRACKING, require: { ...TRACKING.require, snp: { minGuestSvn: 0xffff } } }),
  );
  service = await lab.start({ historical: true });
});

afterAll(() => lab.close());

/** Another VM on the same machine, with a vTPM of its own. */
const newVm = () => createVirtualMachine({ platform: lab.vm.platform, pki: PKI });

interface Asking {
  readonly url?: string;
  readonly policy?: string;
  readonly at?: string;
  readonly claims?: object;
}

/** The decision on a quote of a VM with these counts. */
async function ask(vm: VirtualMachine, resetCount: number, restartCount: number, asking: Asking = {}) {
  const { url = service.url, policy = 'tracking', claims = {}, ...members } = asking;
  const evidence = vm.wireEvidence({
    nonce: NONCE,
    endorsements: WITHOUT_ENDORSEMENTS,
    quote: { resetCount, restartCount },
    claims,
  });
  return post(url, '/verify?checks=all', JSON.stringify({ evidence, nonce: base64Url(NONCE), policy, ...members }));
}

const verdict = async (...asked: Parameters<typeof ask>) => verdictOf(await ask(...asked));
const memoryOf = (data: string) => join(lab.root, data, 'tpm-resets');
const thumbprintOf = (vm: VirtualMachine) => jwkThumbprint(vm.vtpm.publicJwk);
const fileOf = (vm: VirtualMachine, data = 'data') => join(memoryOf(data), `ak-${thumbprintOf(vm)}`);
/** Records of the log that begin like this and have these fields. */
const told = (message: string, fields: Readonly<Record<string, string>>) =>
  lab.output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
    .filter((record) => String(record.msg).startsWith(message))
    .filter((record) => Object.entries(fields).every(([name, value]) => record[name] === value));
const now = () => new Date(Date.now() - 1000).toISOString();

describe('a vTPM under a policy that tracks its resets', () => {
  it('TPM-10 may count up, and is denied where it goes back', async () => {
    const vm = await newVm();
    const verdicts = [];
    for (const [resetCount, restartCount] of [
      [7, 2],
      [7, 2],
      [7, 3],
      [7, 2],
      [8, 0],
      [7, 9],
      [8, 0],
    ] as const) {
      verdicts.push(await verdict(vm, resetCount, restartCount));
    }
    const [allow, deny] = [['allow'], ['deny', 'tpm_reset']];
    expect(verdicts).toEqual([allow, allow, allow, deny, allow, deny, allow]);
    expect(await readFile(fileOf(vm), 'utf8')).toBe('8 0\n');
  });

  it('TPM-10 is told what is remembered, and what it said', async () => {
    const vm = await newVm();
    const first = await ask(vm, 7, 2);
    const reset = (answer: typeof first) => answer.body.checks.find(({ id }: { id: string }) => id === 'tpm_reset');
    expect(reset(first)).toMatchObject({
      result: 'pass',
      expected: null,
      detail: 'no earlier counts of this vTPM are remembered',
    });
    const back = await ask(vm, 6, 5);
    expect(reset(back)).toMatchObject({
      result: 'fail',
      about: '/evidence/tpmQuote',
      policy: 'tracking',
      expected: { resetCount: 7, restartCount: 2 },
      actual: { resetCount: 6, restartCount: 5 },
      detail: `resetCount 6 is lower than 7, which was allowed before (AK thumbprint ${thumbprintOf(vm)})`,
      remedy: expect.stringContaining('because resetCount is 6, and 7 was allowed before'),
    });
  });

  it('TPM-10 twin: is not judged by the counts of another', async () => {
    const [one, other] = [await newVm(), await newVm()];
    expect([await verdict(one, 9, 0), await verdict(other, 1, 0)]).toEqual([['allow'], ['allow']]);
  });

  it('TPM-10 is remembered by a service that was started again', async () => {
    const vm = await newVm();
    const before = await lab.start({}, {}, 'restarted');
    expect(await verdict(vm, 7, 0, { url: before.url })).toEqual(['allow']);
    await before.close();
    const { url } = await lab.start({}, {}, 'restarted');
    expect(await verdict(vm, 6, 0, { url })).toEqual(['deny', 'tpm_reset']);
    expect(await verdict(vm, 7, 0, { url })).toEqual(['allow']);
  });

  it('TPM-10 is not remembered by what was denied, is of the past, or was not to be tracked', async () => {
    const vm = await newVm();
    expect(await verdict(vm, 9, 0, { policy: 'refusing' })).toEqual(['deny', 'snp_measurement']);
    expect(await verdict(vm, 9, 0, { policy: 'open' })).toEqual(['allow']);
    const past = await ask(vm, 9, 0, { at: now() });
    expect([past.body.decision, past.body.historical]).toEqual(['allow', true]);
    expect(existsSync(fileOf(vm))).toBe(false);
    expect(await verdict(vm, 7, 0)).toEqual(['allow']);
    expect(await verdict(vm, 9, 0, { policy: 'refusing' })).toEqual(['deny', 'snp_measurement']);
    expect(await verdict(vm, 7, 0)).toEqual(['allow']);
    expect((await ask(vm, 6, 0, { at: now() })).body.decision).toBe('allow');
  });

  it('TPM-10 is judged again by what was remembered then, and remembers nothing of it', async () => {
    await lab.writePolicy(lenientPolicy('later'));
    const { url, reload } = await lab.start({ historical: true, decisions: { keepEvidence: 'full' } }, {}, 'replayed');
    const again = (decisionId: string, at: string) =>
      post(url, `/decisions/${decisionId}:replay`, JSON.stringify({ at }));
    const vm = await newVm();
    const [first, last] = [await ask(vm, 7, 2, { url }), await ask(vm, 8, 0, { url })];
    expect([verdictOf(first), verdictOf(last)]).toEqual([['allow'], ['allow']]);
    expect((await again(first.body.decisionId, 'then')).body).toMatchObject({ equal: true, differences: [] });
    expect((await again(first.body.decisionId, 'now')).body).toMatchObject({
      equal: false,
      decision: { recorded: 'allow', replayed: 'deny' },
      reasons: { replayed: ['tpm_reset'] },
    });
    const untracked = await newVm();
    const { body } = await ask(untracked, 7, 2, { url, policy: 'later' });
    await lab.writePolicy(lenientPolicy('later', { ...TRACKING, version: 2 }));
    await reload();
    expect((await again(body.decisionId, 'now')).body.decision).toEqual({ recorded: 'allow', replayed: 'allow' });
    expect(existsSync(fileOf(untracked, 'replayed'))).toBe(false);
    expect(verdictOf(await ask(untracked, 6, 0, { url, policy: 'later' }))).toEqual(['allow']);
  });

  it('TPM-10 twin: is not remembered where it is new at each boot', async () => {
    const vm = await newVm();
    const claims = { vmConfiguration: { 'secure-boot': true, 'tpm-persisted': false } };
    for (const resetCount of [7, 6]) {
      const { body } = await ask(vm, resetCount, 0, { claims });
      expect(body.decision).toBe('allow');
      expect(body.checks).toContainEqual(
        expect.objectContaining({ id: 'tpm_reset', result: 'pass', detail: expect.stringContaining('made anew') }),
      );
    }
    expect(existsSync(fileOf(vm))).toBe(false);
  });

  it('HCL-30 is remembered of a stateless VM whose vTPM is sealed to the hardware: tpm_reset', async () => {
    const vm = await newVm();
    const vmConfiguration = { 'secure-boot': true, 'tpm-persisted': false, 'hardware-sealing-policy': 'hash' };
    const verdicts = [];
    for (const resetCount of [7, 6]) {
      verdicts.push(verdictOf(await ask(vm, resetCount, 0, { claims: { vmConfiguration } })));
    }
    expect(verdicts).toEqual([['allow'], ['deny', 'tpm_reset']]);
  });

  it('TPM-10 ends with the highest counts of requests at once, none of which is allowed behind another', async () => {
    const vm = await newVm();
    const given = [5, 9, 3, 7, 1, 8, 2, 6, 4];
    const verdicts = await Promise.all(given.map((resetCount) => verdict(vm, resetCount, 0)));
    expect(verdicts[given.indexOf(9)]).toEqual(['allow']);
    for (const each of verdicts) expect([['allow'], ['deny', 'tpm_reset']]).toContainEqual(each);
    expect(await readFile(fileOf(vm), 'utf8')).toBe('9 0\n');
    expect(await verdict(vm, 8, 0)).toEqual(['deny', 'tpm_reset']);
  });
});

describe('while the memory is out of reach', () => {
  it('TPM-10 nothing is allowed by a policy that tracks resets, and other policies go on', async () => {
    const vm = await newVm();
    await mkdir(join(lab.root, 'blocked'), { recursive: true });
    await writeFile(memoryOf('blocked'), 'in its place');
    const { url } = await lab.start({}, {}, 'blocked');
    const { body } = await ask(vm, 7, 0, { url });
    expect([body.decision, body.reasons, body.retryable]).toEqual(['indeterminate', ['tpm_reset'], true]);
    expect(await verdict(vm, 7, 0, { url, policy: 'open' })).toEqual(['allow']);
    await ask(vm, 7, 0, { url });
    const why = 'is a file, and a folder is expected';
    // Once at the start: requests add nothing to it.
    expect(told('memory of vTPM resets cannot be used', { folder: memoryOf('blocked') })).toMatchObject([{ why }]);
    const figures = String((await call(url, '/metrics')).body);
    expect(figures).toMatch(/^veritee_tpm_reset_memory_failures_total 2$/m);
    await rm(memoryOf('blocked'));
    expect(await verdict(vm, 7, 0, { url })).toEqual(['allow']);
  });

  it('TPM-10 a damaged file is no reason to forget, and others count on', async () => {
    const [vm, other] = [await newVm(), await newVm()];
    expect(await verdict(vm, 7, 0)).toEqual(['allow']);
    await writeFile(fileOf(vm), '');
    const { body } = await ask(vm, 9, 0);
    expect([body.decision, body.reasons, body.retryable]).toEqual(['indeterminate', ['tpm_reset'], false]);
    expect(body.checks).toContainEqual(
      expect.objectContaining({ id: 'tpm_reset', detail: expect.stringContaining(`${thumbprintOf(vm)}`) }),
    );
    await ask(vm, 9, 0);
    const file = basename(fileOf(vm));
    const place = { folder: memoryOf('data'), file };
    expect(told('memory of vTPM resets cannot be used', place)).toMatchObject([{ why: `${file}: not two counts` }]);
    expect(await verdict(other, 1, 0)).toEqual(['allow']);
    await rm(fileOf(vm));
    expect(await verdict(vm, 1, 0)).toEqual(['allow']);
    expect(told('memory of vTPM resets can be used again', place)).toHaveLength(1);
  });

  it('TPM-10 a folder that is gone is no reason to forget, and one of an earlier start is missed too', async () => {
    const vm = await newVm();
    const before = await lab.start({}, {}, 'lost');
    expect(await verdict(vm, 7, 0, { url: before.url })).toEqual(['allow']);
    await before.close();
    const { url } = await lab.start({}, {}, 'lost');
    const folder = memoryOf('lost');
    expect(told('memory of vTPM resets opened', { folder })).toMatchObject([{ remembered: 0 }, { remembered: 1 }]);
    await rename(folder, `${folder}.away`);
    expect(await verdict(vm, 6, 0, { url })).toEqual(['indeterminate', 'tpm_reset']);
    expect(existsSync(folder)).toBe(false);
    await rename(`${folder}.away`, folder);
    expect(await verdict(vm, 6, 0, { url })).toEqual(['deny', 'tpm_reset']);
  });

  it('TPM-10 a read-only folder allows what it has, and nothing new', async () => {
    const vm = await newVm();
    const { url } = await lab.start({}, {}, 'read-only');
    expect(await verdict(vm, 7, 0, { url })).toEqual(['allow']);
    await chmod(memoryOf('read-only'), 0o500);
    disk.isReadOnly = process.getuid?.() === 0;
    try {
      expect(await verdict(vm, 7, 0, { url })).toEqual(['allow']);
      expect(await verdict(vm, 8, 0, { url })).toEqual(['indeterminate', 'tpm_reset']);
    } finally {
      await chmod(memoryOf('read-only'), 0o700);
      disk.isReadOnly = false;
    }
  });
});

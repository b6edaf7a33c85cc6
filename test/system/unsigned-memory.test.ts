import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from './client.js';
import { Lab } from './lab.js';
import { challengeBody, type MakeBody, selfMadeAzure, selfMadeIssuerChains, selfMadePckChain } from './self-made.js';
import { ServiceProcess } from './service-process.js';

const MIB = 1024 * 1024;
const REQUESTS = 2_000;
/** Where each request has so much of one sort that the growth of a quarter of them shows it: a chain has 32 KiB. */
const LARGE_REQUESTS = REQUESTS / 4;
const WARM_UP = 100;
const CLIENTS = 4;

/** Heap, and memory of buffers: what has no signature is gone with its request. */
const GROWTH = 8 * MIB;
/** `--memory` and `MemoryMax` of the examples. */
const RESIDENT = 512 * MIB;

let lab: Lab;
let service: ServiceProcess;
let client: Client;

beforeAll(async () => {
  lab = await Lab.create();
  const command = await lab.command({ log: { level: 'fatal' }, intel: { pcs: 'off' } }, ['--expose-gc']);
  service = await ServiceProcess.start(command, { cwd: lab.workFolder, measured: true });
  client = new Client(service.url, CLIENTS);
});

afterAll(async () => {
  client.close();
  await service.close();
  await lab.close();
});

async function inTurns(count: number, send: () => Promise<void>): Promise<void> {
  let left = count;
  const inTurn = async () => {
    while (left-- > 0) await send();
  };
  await Promise.all(Array.from({ length: CLIENTS }, inTurn));
}

/** Sends requests, and prints and bounds what stays of them. */
async function expectNothingKept(what: string, requests: number, send: () => Promise<void>): Promise<void> {
  await inTurns(WARM_UP, send);
  const before = await service.memory();
  await inTurns(requests, send);
  const after = await service.memory();
  const growth = (member: 'heapUsed' | 'external' | 'arrayBuffers') => after[member] - before[member];
  const mib = (bytes: number) => (bytes / MIB).toFixed(1);
  process.stdout.write(
    `after ${requests} requests with ${what}: heap ${mib(growth('heapUsed'))} MiB more, buffers ${mib(growth('external'))} MiB more, resident ${mib(after.rss)} MiB\n`,
  );
  expect(growth('heapUsed')).toBeLessThan(GROWTH);
  expect(growth('external')).toBeLessThan(GROWTH);
  expect(growth('arrayBuffers')).toBeLessThan(GROWTH);
  expect(after.rss).toBeLessThan(RESIDENT);
}

async function expectDenied(make: MakeBody, reason: string): Promise<void> {
  const { status, body } = await client.ask({ body: make() });
  expect([status, body.decision, body.code]).toEqual([200, 'deny', undefined]);
  expect(body.reasons).toContain(reason);
}

describe('what no signature vouches for', () => {
  it('REQ-20 is not kept: VEKs, AK certificates, chains and JWKs of 2 000 requests', { timeout: 600_000 }, async () => {
    const make = await selfMadeAzure();
    await expectNothingKept('a VEK, AK chain and JWK each', REQUESTS, () => expectDenied(make, 'cert_signature'));
  });

  it('REQ-20 is not kept: PCK chains of 500 requests', { timeout: 600_000 }, async () => {
    const make = selfMadePckChain();
    await expectNothingKept('a PCK chain each', LARGE_REQUESTS, () => expectDenied(make, 'cert_untrusted'));
  });

  it('REQ-20 is not kept: issuer chains of 500 requests', { timeout: 600_000 }, async () => {
    const [genuine = ''] = lab.bodies('tdx');
    const make = selfMadeIssuerChains(genuine);
    await expectNothingKept('issuer chains each', LARGE_REQUESTS, () => expectDenied(make, 'cert_untrusted'));
  });

  it('REQ-20 is not kept: bodies of 500 challenges', { timeout: 600_000 }, async () => {
    await expectNothingKept('a challenge each', LARGE_REQUESTS, async () => {
      expect(await client.post('/challenges', challengeBody())).toMatchObject({ status: expect.toBeOneOf([200, 503]) });
    });
  });
});

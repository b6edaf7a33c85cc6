import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import type { Slot } from '../../../src/judge/verification-slots.js';
import { post } from './exchange.js';
import { fakeServices, KNOWN_DECISION, oneCaller, VERIFY_BODY } from './fake-service.js';

const start = fakeServices();

const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
const RELEASE = JSON.stringify({ ...JSON.parse(VERIFY_BODY), binding: { jwk } });
const EVALUATION = JSON.stringify({ text: 'apiVersion: veritee/v1', ...JSON.parse(VERIFY_BODY) });

describe('the slot of a request', () => {
  it.each([
    ['/verify', VERIFY_BODY, 'verifyEvidence'],
    ['/keys/disk/release', RELEASE, 'releaseKey'],
    ['/policies:evaluate', EVALUATION, 'evaluatePolicy'],
    [`/decisions/${KNOWN_DECISION}:replay`, '{"at":"now"}', 'replayDecision'],
  ] as const)('is passed to the use case of %s, which frees it while it waits', async (path, body, name) => {
    const service = await start({ callers: oneCaller('sesame', ['verify', 'release', 'audit:read']) });
    const { [name]: useCase, slots } = service;
    const execute = vi.spyOn(useCase as { execute(...given: unknown[]): Promise<unknown> }, 'execute');
    const computing: number[] = [];
    execute.mockImplementation(async (...given) => {
      const slot = given.at(-1) as Slot;
      computing.push(slots.figures.computing);
      await slot.elsewhere(async () => computing.push(slots.figures.computing));
      computing.push(slots.figures.computing);
      throw new Error('enough was seen');
    });
    try {
      expect(await post(service.url, path, body, { authorization: 'Bearer sesame' })).toMatchObject({ status: 500 });
    } finally {
      execute.mockRestore();
    }
    expect(computing).toEqual([1, 0, 1]);
    expect(slots.figures).toMatchObject({ running: 0, computing: 0 });
  });
});

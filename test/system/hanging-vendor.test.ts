import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MOST_WAITING } from '../../src/endorsements/all-endorsements.js';
import { DEFAULT_SLOTS } from '../../src/judge/verification-slots.js';
import { base64Url, type LabService, lenientPolicy, NONCE, PKI } from '../integration/service/lab-service.js';
import { TokenLab } from '../integration/service/token-lab.js';
import { createSnpGuest, SnpPlatform } from '../lab/index.js';
import { type Answered, Client, type Outcome } from './client.js';
import { labProcess } from './lab-process.js';
import { ServiceProcess } from './service-process.js';

/** More than the service judges, and lets wait, at a time. */
const REQUESTS = DEFAULT_SLOTS.running + DEFAULT_SLOTS.waiting + 100;

let tokens: TokenLab;
let lab: LabService;
let service: ServiceProcess;

beforeAll(async () => {
  tokens = await TokenLab.create();
  lab = tokens.service;
  const routes = { hardware: 'off', maa: 'required' };
  await lab.writePolicy(lenientPolicy('reports'));
  await lab.writePolicy(lenientPolicy('tokens', { accepts: ['maa-token'], routes }));
  const command = await labProcess(
    lab,
    // KDS is given up long before: what is held up is held up by KDS.
    { ...tokens.configuration(), deadlineSeconds: 30, log: { level: 'warn' } },
    { ca: tokens.tls.pem },
  );
  service = await ServiceProcess.start(command, { cwd: lab.root });
});

afterAll(async () => {
  await service.close();
  await tokens.close();
});

const verdict = (outcome: Outcome) =>
  'status' in outcome ? [outcome.status, outcome.body.decision ?? outcome.body.code] : [outcome.error];

describe('a KDS that does not do what it should', () => {
  it('may hang: tokens are judged meanwhile, however many reports wait for it, and those afterwards', async () => {
    const token = tokens.guestToken(tokens.evidence());
    const ofToken = JSON.stringify({
      evidence: { type: 'maa-token', token },
      nonce: JSON.parse(lab.verifyBody()).nonce,
      policy: 'tokens',
    });
    const ofReport = JSON.stringify({ ...JSON.parse(lab.verifyBody()), policy: 'reports' });
    const own = new Client(service.url, 1);
    // The key set is there before.
    expect(verdict(await own.post('/verify', ofToken))).toEqual([200, 'allow']);

    lab.kds.fail(/./, 'half_open');
    const crowd = new Client(service.url, REQUESTS);
    const ended: Outcome[] = [];
    const asking = Array.from({ length: REQUESTS }, async () => {
      ended.push(await crowd.post('/verify', ofReport));
    });
    // Those that find no room to wait have their answers.
    await expect.poll(() => ended.length, { timeout: 30_000 }).toBeGreaterThanOrEqual(REQUESTS - MOST_WAITING);
    const before = ended.length;
    expect(verdict(await own.post('/verify', ofToken))).toEqual([200, 'allow']);
    expect([ended.length, REQUESTS - before]).toEqual([before, MOST_WAITING]);

    await Promise.all(asking);
    const answered = ended.filter((outcome): outcome is Answered => 'status' in outcome && outcome.status === 200);
    for (const { body } of answered) {
      expect(body).toMatchObject({ decision: 'indeterminate', retryable: true });
      expect(body.reasons).toContain('vcek_unavailable');
    }
    for (const outcome of ended.filter((one) => !('status' in one && one.status === 200))) {
      expect(verdict(outcome)).toEqual([503, 'overloaded']);
    }
    expect(answered.length).toBeGreaterThanOrEqual(MOST_WAITING);

    await lab.kds.heal();
    await expect
      .poll(async () => verdict(await own.post('/verify', ofReport)), { timeout: 60_000, interval: 500 })
      .toEqual([200, 'allow']);
    crowd.close();
    own.close();
  });

  it('is left alone once it has failed several times in a row: what is cached counts, and the rest is left open at once', async () => {
    const client = new Client(service.url, 1);
    const ofReport = JSON.stringify({ ...JSON.parse(lab.verifyBody()), policy: 'reports' });
    const ofNewChip = () => {
      const platform = new SnpPlatform({ pki: PKI, chipId: new Uint8Array(randomBytes(64)) });
      const endorsements = { vek: null, chain: null, crls: [] };
      const evidence = createSnpGuest({ pki: PKI, platform }).wireEvidence({ nonce: NONCE, endorsements });
      return JSON.stringify({ evidence, nonce: base64Url(NONCE), policy: 'reports' });
    };
    const left = [200, 'indeterminate'];
    lab.kds.fail(/./, { status: 503 });
    for (let failure = 0; failure < 5; failure++)
      expect(verdict(await client.post('/verify', ofNewChip()))).toEqual(left);
    const asked = lab.kds.count();
    expect(verdict(await client.post('/verify', ofNewChip()))).toEqual(left);
    expect(verdict(await client.post('/verify', ofReport))).toEqual([200, 'allow']);
    expect(lab.kds.count()).toBe(asked);
    client.close();
  });
});

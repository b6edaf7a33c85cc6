import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeEphemeralKey } from '../../../src/composition/receipt-keys.js';
import type { RunningService } from '../../../src/composition/service.js';
import type { Together } from '../../../src/composition/together.js';
import { ProofsOfGates } from '../../../src/gates/used-proofs.js';
import { clientKey, makeProof } from '../../unit/gates/proofs.js';
import { call, challenge, LabService, lenientPolicy, MovableClock, NONCE } from './lab-service.js';

/** Services as the workers of one service are: what one of them uses up or notes, the others know. */

const AUDIENCE = 'https://app.example';
const KEY = clientKey();
const GATES = { bound: { audience: AUDIENCE, policy: 'bound', url: AUDIENCE } };
const CONFIGURATION = { gates: GATES, receipts: { issuer: 'https://veritee.example' } };

let lab: LabService;
let workers: readonly RunningService[];
/** What was done by one of them at a time, by its name. */
const alone: string[] = [];
/** How often one of them asked whether connections were handed over. */
let turns = 0;
const clock = new MovableClock();

beforeAll(async () => {
  lab = await LabService.create();
  await lab.writePolicy(lenientPolicy('bound', { freshness: 'required', binding: 'required' }));
  await lab.writePolicy(lenientPolicy('tracking', { require: { tpm: { trackResets: true } } }));
  const ticketKeys = randomBytes(48);
  const together: Together = {
    port: 0,
    files: () => undefined,
    challengeKey: randomBytes(32),
    heldTime: { expected: clock.now().getTime(), highest: clock.now().getTime() },
    isAgain: false,
    ephemeralKey: makeEphemeralKey(),
    exclusive: (name, work) => {
      alone.push(name);
      return work();
    },
    proofs: new ProofsOfGates(Object.keys(GATES), clock),
    ticketKeys: () => ticketKeys,
    endorsement: async (tenant, sha256) =>
      workers.map((each) => each.endorsement(tenant, sha256)).find(Boolean) ?? null,
    figures: async () => '',
    handedOver: async () => {
      turns += 1;
    },
  };
  workers = [
    await lab.start(CONFIGURATION, { clock, together }, 'together'),
    await lab.start(CONFIGURATION, { clock, together }, 'together'),
  ];
  // What was made before the start of a process is refused, and seconds are whole.
  clock.advance(1_000);
});

afterAll(() => lab.close());

const worker = (index: number) => workers[index] as RunningService;

describe('Workers of one service', () => {
  it('GAT-02 take one proof at one gate once, whichever of them is asked', async () => {
    const members = { audience: AUDIENCE, policy: 'bound' };
    const { body } = await lab.verify(worker(0), { nonce: await challenge(worker(0)), members, jwk: KEY.jwk });
    const iat = Math.floor(clock.now().getTime() / 1000);
    const proof = await makeProof(KEY, { htm: 'GET', htu: `${AUDIENCE}/page`, iat, receipt: body.receipt });
    const headers = { 'x-veritee-receipt': body.receipt, dpop: proof };
    const asked = [0, 1].map((index) => () => call(worker(index).url, '/authorize/bound/page', { headers }));
    expect((await asked[0]?.())?.status).toBe(200);
    expect((await asked[1]?.())?.status).toBe(403);
    expect(lab.output).toContain('"code":"dpop_replayed"');
  });

  it('have the endorsements that any of them judged by', async () => {
    const { body } = await lab.verify(worker(0), { members: { policy: 'tracking' }, nonce: NONCE });
    const { sha256 } = body.endorsements.find(({ kind }: { kind: string }) => kind === 'vcek');
    expect(worker(1).endorsement('default', sha256)).toBeNull();
    for (const each of workers) {
      const answer = await call(each.url, `/endorsements/${sha256}`);
      expect([answer.status, answer.body.kind]).toEqual([200, 'vcek']);
    }
  });

  it('raise rollback marks and reset counts one at a time', async () => {
    const { body } = await lab.verify(worker(1), { members: { policy: 'tracking' } });
    expect(body.decision).toBe('allow');
    expect(alone.filter((name) => name.includes('tpm-resets'))).toHaveLength(1);
    expect(alone.filter((name) => !name.includes('tpm-resets'))).not.toEqual([]);
  });

  it('ask, when they stop, for the connections that are accepted for them', async () => {
    expect(turns).toBe(0);
    await worker(1).close();
    expect(turns).toBeGreaterThan(0);
  });
});

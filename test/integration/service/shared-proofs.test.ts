import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { RunningService } from '../../../src/app/service.js';
import { clientKey, makeProof } from '../../unit/receipts/gates/proofs.js';
import { PATIENT } from '../stores/postgres-challenges.js';
import { isWithoutPostgres } from '../stores/postgres-server.js';
import { call, challenge, lenientPolicy } from './lab-service.js';
import { PostgresReplicas } from './postgres-replicas.js';

const AUDIENCE = 'https://app.example';
const KEY = clientKey();
const GATE = { audience: AUDIENCE, policy: 'bound', url: AUDIENCE };
const KEYS = {
  gates: { web: GATE, other: GATE },
  // The same name at each replica, so that each takes the receipts of the other.
  receipts: { issuer: 'https://veritee.example' },
};

let replicas: PostgresReplicas;

const replica = (name?: string) => replicas.start({ ...KEYS, decisions: { log: 'off' } }, {}, name);

async function receiptOf(service: RunningService): Promise<string> {
  const members = { audience: AUDIENCE, policy: 'bound' };
  const { body } = await replicas.lab.verify(service, { members, nonce: await challenge(service), jwk: KEY.jwk });
  return String(body.receipt);
}

/** Made a little later, so that a restart meanwhile is no reason to refuse it. */
const proofFor = (receipt: string, aheadSeconds = 30) =>
  makeProof(KEY, { htm: 'GET', htu: `${AUDIENCE}/page`, iat: Math.floor(Date.now() / 1000) + aheadSeconds, receipt });

/** The status of an answer, and the code of a refusal, as the log has it. */
async function ask(service: RunningService, receipt: string, dpop: string, gate = 'web') {
  const headers = { 'x-veritee-receipt': receipt, dpop };
  const { status } = await call(service.url, `/authorize/${gate}/page`, { headers });
  const lines = replicas.lab.output.split('\n').filter((line) => line.includes('"route":"/authorize"'));
  return status === 200 ? [status] : [status, JSON.parse(lines.at(-1) ?? '{}').code];
}

const [OPEN, REPLAYED, UNKNOWN] = [[200], [403, 'dpop_replayed'], [403, 'dpop_memory']];

describe.skipIf(isWithoutPostgres('replicas of the service that share used proofs'))(
  'replicas that share used proofs',
  () => {
    beforeAll(async () => {
      replicas = await PostgresReplicas.create();
      await replicas.lab.writePolicy(lenientPolicy('bound', { freshness: 'required', binding: 'required' }));
    });

    afterEach(() => replicas.reset());

    afterAll(() => replicas.close());

    it('GAT-02 take a proof once among them, at each gate', async () => {
      const [one, other] = [await replica(), await replica()];
      const receipt = await receiptOf(one);
      const proof = await proofFor(receipt);
      expect(await ask(one, receipt, proof)).toEqual(OPEN);
      for (const service of [one, other]) expect(await ask(service, receipt, proof)).toEqual(REPLAYED);
      expect(await ask(other, receipt, proof, 'other')).toEqual(OPEN);
    });

    it('GAT-02 take one of many equal proofs at once', async () => {
      const services = [await replica(), await replica()];
      const [one] = services as [RunningService];
      const receipt = await receiptOf(one);
      const proof = await proofFor(receipt);
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) => ask(services[index % 2] ?? one, receipt, proof)),
      );
      expect(answers.filter(([status]) => status === 200)).toHaveLength(1);
    });

    it('GAT-02 know used proofs after a restart of them all, and of the database', async () => {
      const before = await replica('restarted');
      const receipt = await receiptOf(before);
      const proof = await proofFor(receipt);
      expect(await ask(before, receipt, proof)).toEqual(OPEN);
      await before.close();
      const after = await replica('restarted');
      expect(await ask(after, receipt, proof)).toEqual(REPLAYED);
      await replicas.server.restart('immediate');
      await vi.waitFor(async () => expect(await ask(after, receipt, proof)).toEqual(REPLAYED), PATIENT);
    });

    it('GAT-02 stay closed for a proof while the database is gone, and open again afterwards', async () => {
      const one = await replica();
      const receipt = await receiptOf(one);
      await replicas.server.stop('immediate');
      expect(await ask(one, receipt, await proofFor(receipt))).toEqual(UNKNOWN);
      await replicas.server.run();
      await vi.waitFor(async () => expect(await ask(one, receipt, await proofFor(receipt))).toEqual(OPEN), PATIENT);
    });

    it('GAT-02 stay closed for a proof from before a database of before was put back', async () => {
      const { server } = replicas;
      await server.stop();
      const putBack = await server.copyOfFiles();
      await server.run();
      const one = await replica();
      const receipt = await receiptOf(one);
      // Times of proofs are whole seconds, and this one has to be from after the start.
      const proof = await vi.waitFor(async () => {
        const made = await proofFor(receipt, 0);
        expect(await ask(one, receipt, made)).toEqual(OPEN);
        return made;
      }, PATIENT);
      await server.stop('immediate');
      await putBack();
      await server.run();
      await vi.waitFor(async () => {
        expect(await ask(one, receipt, proof)).toEqual([403, 'dpop_time']);
      }, PATIENT);
    });
  },
);

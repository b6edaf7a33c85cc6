import { join } from 'node:path';
import engine from 'libsql';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RunningService } from '../../../src/app/service.js';
import { isWithoutPostgres } from '../stores/postgres-server.js';
import { base64Url, challenge, MovableClock, verdictOf } from './lab-service.js';
import { isBack, PostgresReplicas } from './postgres-replicas.js';
import { resultsOf, TokenLab, verify } from './token-lab.js';

const POLICIES = ['maa-required', 'maa-optional'];

/** A service that sends evidence to Azure Attestation, and its store. */
interface Stored {
  start(clock?: MovableClock): Promise<RunningService>;
  /** Deletes all records of challenges. */
  forget(): Promise<void>;
  /** Starts the owner of the store again. @returns the service that uses it then */
  restart(service: RunningService): Promise<RunningService>;
}

let lab: TokenLab;

beforeAll(async () => {
  lab = await TokenLab.create();
});

beforeEach(() => {
  lab.maa.received.length = 0;
});

afterAll(() => lab.close());

const overSqlite: Stored = {
  start: (clock) => lab.startSubmitting({}, { ...(clock && { clock }) }),
  async forget() {
    const file = new engine(join(lab.service.root, 'submitting', 'veritee.db'));
    file.exec('DELETE FROM challenges');
    file.close();
  },
  async restart(service) {
    await service.close();
    return this.start();
  },
};

function behavesWithoutRecord(stored: Stored): void {
  const submissions = () => lab.maa.received.filter(({ url }) => url.startsWith('/attest/SevSnpVm?'));

  async function expectNothingSent(service: RunningService, nonce: Uint8Array, verdict: readonly string[]) {
    for (const policy of POLICIES) {
      const answer = await verify(service, lab.evidence(nonce).wire, { nonce: base64Url(nonce), policy });
      expect(verdictOf(answer)).toEqual(verdict);
      expect(resultsOf(answer, 'route_missing')).toEqual(['skipped']);
    }
    expect(submissions()).toEqual([]);
  }

  it('FRS-07 is used if its record is gone, and evidence with it is sent to nobody', async () => {
    const clock = new MovableClock();
    const service = await stored.start(clock);
    // Expiries are whole seconds: a challenge of the second of the start may be older than the store.
    clock.advance(1000);
    const nonce = await challenge(service);
    await stored.forget();
    await expectNothingSent(service, nonce, ['deny', 'nonce_used']);
    await service.close();
  });

  it.each(['is there', 'is gone'])(
    'FRS-03 cannot be judged if the store was started after it and its record %s: evidence with it is sent to nobody',
    async (record) => {
      const before = await stored.start();
      const nonce = await challenge(before);
      const service = await stored.restart(before);
      if (record === 'is gone') await stored.forget();
      await expectNothingSent(service, nonce, ['indeterminate', 'nonce_store']);
      await service.close();
    },
  );

  it('FRS-03 twin: is judged if the store has it, and evidence with it is sent', async () => {
    const service = await stored.start();
    const nonce = await challenge(service);
    const members = { nonce: base64Url(nonce), policy: 'maa-required' };
    expect(verdictOf(await verify(service, lab.evidence(nonce).wire, members))).toEqual(['allow']);
    expect(submissions()).toHaveLength(1);
    await service.close();
  });
}

describe('a challenge of a service with SQLite', () => behavesWithoutRecord(overSqlite));

describe.skipIf(isWithoutPostgres('a challenge of a service with PostgreSQL'))(
  'a challenge of a service with PostgreSQL',
  () => {
    let replicas: PostgresReplicas;

    beforeAll(async () => {
      replicas = await PostgresReplicas.create(lab.service);
    });

    afterAll(() => replicas.closeServer());

    behavesWithoutRecord({
      start: (clock) => lab.startSubmitting(replicas.shared, { ...(clock && { clock }) }),
      async forget() {
        await replicas.logs.sql('DELETE FROM challenges');
      },
      async restart(service) {
        await replicas.server.restart('immediate');
        await isBack(service);
        return service;
      },
    });
  },
);

import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { RunningService, ServiceOptions } from '../../../src/app/service.js';
import { verifyLog } from '../../../src/log/verify-log.js';
import { requireConforming } from '../../contract/conforms.js';
import { FaultyProxy } from '../stores/faulty-proxy.js';
import { PATIENT } from '../stores/postgres-challenges.js';
import { SERVICE } from '../stores/postgres-logs.js';
import { isWithoutPostgres } from '../stores/postgres-server.js';
import { call, challenge, lenientPolicy, post, verdictOf } from './lab-service.js';
import { type Keys, PostgresReplicas } from './postgres-replicas.js';
import { expectWithout, secretsOf } from './secrets.js';

const members = { policy: 'payments' };
const NO_EVIDENCE = { keptHeads: [], keys: null };

let replicas: PostgresReplicas;

/** A replica of the service, with the roles of an auditor, since there are no callers. */
const replica = (keys: Keys = {}, world: Partial<ServiceOptions> = {}) =>
  replicas.start({ historical: true, ...keys }, world);

const verify = (service: RunningService, asked: Parameters<PostgresReplicas['lab']['verify']>[1] = { members }) =>
  replicas.lab.verify(service, asked);

const get = ({ url }: RunningService, target: string) => call(url, target);

async function listed(service: RunningService): Promise<readonly string[]> {
  const answer = await get(service, '/decisions');
  requireConforming('GET', '/decisions', answer);
  return answer.body.decisions.map(({ decisionId }: { decisionId: string }) => decisionId);
}

/** The figures of decisions and challenges. */
const available = async (service: RunningService) => {
  const { body } = await get(service, '/metrics');
  return ['decision', 'challenge'].map(
    (store) => new RegExp(`^veritee_${store}_store_available (\\d)$`, 'm').exec(body)?.[1],
  );
};

const allowsAgain = (service: RunningService) =>
  vi.waitFor(async () => expect(verdictOf(await verify(service))).toEqual(['allow']), PATIENT);

describe.skipIf(isWithoutPostgres('replicas of the service that share decisions'))(
  'replicas that share decisions',
  () => {
    beforeAll(async () => {
      replicas = await PostgresReplicas.create();
      await replicas.lab.writePolicy(lenientPolicy('payments'));
      await replicas.lab.writePolicy(lenientPolicy('nothing', { accepts: ['tdx'] }));
    });

    afterEach(() => replicas.reset());

    afterAll(() => replicas.close());

    it('AUD-04 leave no nonce, no id of chip or VM, no evidence and no receipt in the database', async () => {
      const service = await replica();
      const nonce = await challenge(service);
      const audience = { policy: 'payments', audience: 'https://gate.example' };
      const answer = await verify(service, { nonce, members: audience });
      expect(verdictOf(answer)).toEqual(['allow']);
      const dump = await replicas.server.dump();
      // Bytes stand there in hex.
      const text = dump.replaceAll(/\\\\x((?:[0-9a-f]{2})+)/g, (_, hex: string) => Buffer.from(hex, 'hex').toString());
      expect(text).toContain(answer.body.decisionId);
      for (const stored of [dump, text]) expectWithout(stored, secretsOf(replicas.lab, answer, nonce));
    });

    it('AUD-04 warn at the start of a role that can delete records, and of no other', async () => {
      const warning = 'stores.url: its role can act as the owner of the tables, and so delete and change decisions';
      await replica();
      expect(replicas.lab.output).not.toContain(warning);
      const { port, user } = replicas.server;
      const warnings = () => replicas.lab.output.split(warning).length - 1;
      await replica({ stores: { url: replicas.url(port, user) } });
      expect(warnings()).toBe(1);
      // A member without the privileges of the owner can take its role at any time.
      await replicas.server.sql(`ALTER ROLE ${SERVICE} NOINHERIT; GRANT ${user} TO ${SERVICE}`);
      await replica();
      expect(warnings()).toBe(2);
      await replicas.server.sql(`REVOKE ${user} FROM ${SERVICE}; ALTER ROLE ${SERVICE} INHERIT`);
    });

    it('have a chain each, see those of one another, and have a log that verifies', async () => {
      const services = [await replica(), await replica()];
      const ids: string[] = [];
      for (let round = 0; round < 2; round++) {
        for (const service of services) {
          const answer = await verify(service);
          expect(verdictOf(answer)).toEqual(['allow']);
          ids.unshift(answer.body.decisionId);
        }
      }
      for (const service of services) {
        expect(await listed(service)).toEqual(ids);
        for (const id of ids) {
          const recorded = await get(service, `/decisions/${id}`);
          requireConforming('GET', `/decisions/${id}`, recorded);
          expect(recorded.body).toMatchObject({ decisionId: id, decision: 'allow', record: { withdrawn: false } });
        }
      }
      const store = await replicas.logs.start();
      expect((await store.chains()).map(({ seq }) => seq)).toEqual([2, 2]);
      await Promise.all(services.map((service) => service.close()));
      const report = await verifyLog(store, NO_EVIDENCE);
      // A key that stays signs heads.
      expect(report).toMatchObject({
        problems: [],
        decisions: 4,
        records: 8,
        heads: 4,
        chains: [{ lastHead: 3 }, { lastHead: 3 }],
      });
    });

    it('have challenges there too, each good once among them, also where decisions are not stored', async () => {
      for (const log of ['on', 'off']) {
        const [one, other] = [await replica({ decisions: { log } }), await replica({ decisions: { log } })];
        const nonce = await challenge(one);
        expect(verdictOf(await verify(other, { nonce, members }))).toEqual(['allow']);
        expect(verdictOf(await verify(one, { nonce, members }))).toEqual(['deny', 'nonce_used']);
      }
    });

    it('judge again what another of them has recorded', async () => {
      const decisions = { keepEvidence: 'full' };
      const [one, other] = [await replica({ decisions }), await replica({ decisions })];
      const { body } = await verify(one, { nonce: await challenge(one), members });
      const again = await post(other.url, `/decisions/${body.decisionId}:replay`, '{"at":"then"}');
      requireConforming('POST', '/decisions/{id}:replay', again);
      expect(again.body).toMatchObject({ equal: true, decision: { recorded: 'allow', replayed: 'allow' } });
    });

    it('STO-01 know after the database was killed what they knew before', async () => {
      const service = await replica();
      const { body } = await verify(service);
      await replicas.server.restart('immediate');
      await allowsAgain(service);
      expect((await get(service, `/decisions/${body.decisionId}`)).body.decision).toBe('allow');
    });

    it('LOG-02, STO-04 let no allow leave while the database is gone, still say why they deny, and go on once it is back', async () => {
      const service = await replica();
      expect(await available(service)).toEqual(['1', '1']);
      await replicas.server.stop('immediate');
      const withheld = await verify(service, { members, query: '?enforce=true' });
      expect([withheld.status, withheld.body.decision, withheld.body.reasons]).toEqual([
        503,
        'indeterminate',
        ['audit_unavailable'],
      ]);
      expect(withheld.body.receipt).toBeNull();
      const denied = await verify(service, { members: { policy: 'nothing' } });
      expect(verdictOf(denied)).toEqual(['deny', 'policy_evidence_type', 'audit_unavailable']);
      await vi.waitFor(async () => expect(await available(service)).toEqual(['0', '0']), PATIENT);
      // Challenges are there too: no replica could use one up.
      expect((await get(service, '/readyz')).body.problems).toMatchObject([{ code: 'nonce_store' }]);
      await replicas.server.run();
      await allowsAgain(service);
      await vi.waitFor(async () => expect(await available(service)).toEqual(['1', '1']), PATIENT);
      expect((await get(service, '/readyz')).body).toEqual({ ready: true, problems: [] });
      const store = await replicas.logs.start();
      const kinds = (await store.records(null, 100)).map(({ content }) => JSON.parse(content ?? '').kind);
      expect(kinds).toContain('unrecorded');
      expect(replicas.lab.output).toContain('decisions cannot be stored: no allow leaves');
      expect((await verifyLog(store, NO_EVIDENCE)).problems).toEqual([]);
    });

    it('STO-04 notice that the database is gone, or does not let them in any more, also where nobody asks', async () => {
      const { server, lab } = replicas;
      const from = lab.output.length;
      const service = await replica();
      const become = (figure: string) =>
        vi.waitFor(async () => expect(await available(service)).toEqual([figure, figure]), PATIENT);
      await become('1');
      await server.sql('ALTER ROLE service NOLOGIN');
      await server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'service'");
      await become('0');
      await server.sql('ALTER ROLE service LOGIN');
      await become('1');
      await server.stop('immediate');
      await become('0');
      const told = lab.output
        .slice(from)
        .split('\n')
        .filter((line) => line.includes('"store out of reach"'));
      expect(told).toHaveLength(2);
      await server.run();
    });

    it('STO-04, STO-06 withdraw a decision of which the answer was cut, and send it to nobody twice', async () => {
      const proxy = await FaultyProxy.start(replicas.server.port);
      const service = await replica({ stores: { url: replicas.url(proxy.port) } });
      // The head of the first record is stored after the start, in a transaction of its own.
      const isSigned = async () => expect(await replicas.logs.sql('SELECT count(*) FROM heads')).toBe('1');
      await vi.waitFor(isSigned, PATIENT);
      // NUL ends the text of a statement. A drop of old records commits too.
      proxy.failNext('half the answer passes', 'COMMIT\0', 'INSERT INTO records');
      const cut = await verify(service);
      expect(verdictOf(cut)).toEqual(['indeterminate', 'audit_unavailable']);
      await allowsAgain(service);
      const recorded = await get(service, `/decisions/${cut.body.decisionId}`);
      expect(recorded.body.record).toMatchObject({ withdrawn: true });
      const store = await replicas.logs.start();
      expect((await verifyLog(store, NO_EVIDENCE)).problems).toEqual([]);
      await service.close();
      await proxy.close();
    });

    it('LOG-02, STO-05 let no allow leave where the database takes nothing', async () => {
      const service = await replica();
      await replicas.logs.sql('REVOKE INSERT ON records FROM service');
      try {
        expect(verdictOf(await verify(service))).toEqual(['indeterminate', 'audit_unavailable']);
      } finally {
        await replicas.logs.sql('GRANT INSERT ON records TO service');
      }
      await allowsAgain(service);
    });

    it('STO-01 let no allow leave once the database lacks what it had, until they are started anew', async () => {
      const service = await replica();
      await verify(service);
      await replicas.logs.empty();
      for (let count = 0; count < 2; count++) {
        expect(verdictOf(await verify(service))).toEqual(['indeterminate', 'audit_unavailable']);
      }
      expect((await available(service))[0]).toBe('0');
      expect(replicas.lab.output).toContain('the decision store lacks records that it had');
      await service.close();
      expect(verdictOf(await verify(await replica()))).toEqual(['allow']);
    });

    it('AUD-04 can neither delete a record nor change its hash', async () => {
      await verify(await replica());
      const asService = (text: string) => replicas.server.sql(text, undefined, 'service');
      for (const statement of [
        'DELETE FROM veritee.records',
        "UPDATE veritee.records SET hash = ''",
        'TRUNCATE veritee.records',
        'DROP TABLE veritee.records',
        'CREATE TABLE veritee.other (n int)',
      ]) {
        await expect(asService(statement)).rejects.toThrow(/permission denied|must be owner/);
      }
    });
  },
);

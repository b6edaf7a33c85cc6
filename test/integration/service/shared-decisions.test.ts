import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RunningService, World } from '../../../src/app/service.js';
import { verifyLog } from '../../../src/log/verify-log.js';
import { requireConforming } from '../../contract/conforms.js';
import { p256 } from '../../unit/receipts/keys.js';
import { FaultyProxy } from '../stores/faulty-proxy.js';
import { PATIENT } from '../stores/shared-challenges.js';
import { DURABLE, LogReplicas } from '../stores/shared-decisions.js';
import { isWithoutValkey, Valkey } from '../stores/valkey.js';
import { call, challenge, LabService, lenientPolicy, post, verdictOf } from './lab-service.js';
import { expectWithout, secretsOf } from './secrets.js';

const members = { policy: 'payments' };
const NO_EVIDENCE = { keptHeads: [], keys: null };

const stores = new LogReplicas();
const running: RunningService[] = [];
let lab: LabService;
let valkey: Valkey;
let key: string;
let receiptKey: string;
let before: string;

/** A replica of the service, with the roles of an auditor, since there are no callers. */
async function replica(
  keys: { readonly decisions?: object; readonly [key: string]: unknown } = {},
  world: Partial<World> = {},
) {
  const { decisions, ...others } = keys;
  const service = await lab.start(
    {
      historical: true,
      challenges: { key },
      receipts: { key: receiptKey },
      decisions: { store: valkey.url, retentionDays: 30, ...decisions },
      ...others,
    },
    world,
  );
  running.push(service);
  return service;
}

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
const isAvailable = async (service: RunningService) => (await available(service))[0];

describe.skipIf(isWithoutValkey('replicas of the service that share decisions'))(
  'replicas that share decisions',
  () => {
    beforeAll(async () => {
      lab = await LabService.create();
      await lab.writePolicy(lenientPolicy('payments'));
      await lab.writePolicy(lenientPolicy('nothing', { accepts: ['tdx'] }));
      key = join(lab.root, 'challenges.key');
      await writeFile(key, randomBytes(32));
      receiptKey = join(lab.root, 'receipts.pem');
      await writeFile(receiptKey, p256().export({ type: 'pkcs8', format: 'pem' }));
      valkey = await Valkey.start(...DURABLE);
      before = process.cwd();
      // What is written beside follows the default decision store.
      process.chdir(lab.root);
    });

    beforeEach(() => valkey.command('flushall'));

    afterEach(async () => {
      await Promise.all(running.splice(0).map((service) => service.close()));
      await stores.close();
    });

    afterAll(async () => {
      process.chdir(before);
      await lab.close();
      await valkey.close();
    });

    it('AUD-04 leave no nonce, no id of chip or VM, no evidence and no receipt on the disk of the server', async () => {
      const service = await replica();
      const nonce = await challenge(service);
      const audience = { policy: 'payments', audience: 'https://gate.example' };
      const answer = await lab.verify(service, { nonce, members: audience });
      expect(verdictOf(answer)).toEqual(['allow']);
      const text = await valkey.filesText();
      // What was appended is there as it was sent.
      expect(text).toContain(answer.body.decisionId);
      expectWithout(text, secretsOf(lab, answer, nonce));
    });

    it('have a chain each, see those of one another, and have a log that verifies', async () => {
      const services = [await replica(), await replica()];
      const ids: string[] = [];
      for (let round = 0; round < 2; round++) {
        for (const service of services) {
          const answer = await lab.verify(service, { members });
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
      const store = await stores.start(valkey.port);
      const chains = await store.chains();
      expect(chains.map(({ seq }) => seq)).toEqual([2, 2]);
      await Promise.all(running.splice(0).map((service) => service.close()));
      const report = await verifyLog(store, NO_EVIDENCE);
      // A key that stays signs heads.
      expect(report).toMatchObject({
        problems: [],
        decisions: 4,
        records: 8,
        heads: 4,
        chains: [{ lastHead: 3 }, { lastHead: 3 }],
      });
      const [first] = ids;
      const entry = String(await valkey.command('hget', '{veritee}:log:decisions', first ?? ''));
      await valkey.command('hset', '{veritee}:log:decisions', first ?? '', entry.replace('allow', 'deny'));
      expect((await verifyLog(store, NO_EVIDENCE)).problems).toContainEqual(
        expect.objectContaining({ code: 'index_mismatch', decisionId: first }),
      );
    });

    it('have challenges there too, each good once among them', async () => {
      const [one, other] = [await replica(), await replica()];
      const nonce = await challenge(one);
      expect(verdictOf(await lab.verify(other, { nonce, members }))).toEqual(['allow']);
      expect(verdictOf(await lab.verify(one, { nonce, members }))).toEqual(['deny', 'nonce_used']);
    });

    it('judge again what another of them has recorded', async () => {
      const decisions = { keepEvidence: 'full' };
      const [one, other] = [await replica({ decisions }), await replica({ decisions })];
      const { body } = await lab.verify(one, { nonce: await challenge(one), members });
      const again = await post(other.url, `/decisions/${body.decisionId}:replay`, '{"at":"then"}');
      requireConforming('POST', '/decisions/{id}:replay', again);
      expect(again.body).toMatchObject({ equal: true, decision: { recorded: 'allow', replayed: 'allow' } });
    });

    it('STO-01 know after the server was killed what they knew before', async () => {
      const service = await replica();
      const { body } = await lab.verify(service, { members });
      await valkey.kill();
      await valkey.run();
      await vi.waitFor(
        async () => expect(verdictOf(await lab.verify(service, { members }))).toEqual(['allow']),
        PATIENT,
      );
      expect((await get(service, `/decisions/${body.decisionId}`)).body.decision).toBe('allow');
    });

    it('LOG-02, STO-04 let no allow leave while the store is gone, still say why they deny, and go on once it is back', async () => {
      const service = await replica();
      expect(await isAvailable(service)).toBe('1');
      await valkey.kill();
      const withheld = await lab.verify(service, { members, query: '?enforce=true' });
      expect([withheld.status, withheld.body.decision, withheld.body.reasons]).toEqual([
        503,
        'indeterminate',
        ['audit_unavailable'],
      ]);
      expect(withheld.body.receipt).toBeNull();
      const denied = await lab.verify(service, { members: { policy: 'nothing' } });
      expect(verdictOf(denied)).toEqual(['deny', 'policy_evidence_type', 'audit_unavailable']);
      expect(await isAvailable(service)).toBe('0');
      // Challenges are there too: no replica could use one up.
      expect((await get(service, '/readyz')).body.problems).toMatchObject([{ code: 'nonce_store' }]);
      await valkey.run();
      await vi.waitFor(
        async () => expect(verdictOf(await lab.verify(service, { members }))).toEqual(['allow']),
        PATIENT,
      );
      expect(await isAvailable(service)).toBe('1');
      expect((await get(service, '/readyz')).body).toEqual({ ready: true, problems: [] });
      const store = await stores.start(valkey.port);
      const kinds = (await store.records(null, 100)).map(({ content }) => JSON.parse(content ?? '').kind);
      expect(kinds).toContain('unrecorded');
      expect(lab.output).toContain('decisions cannot be stored: no allow leaves');
      expect((await verifyLog(store, NO_EVIDENCE)).problems).toEqual([]);
    });

    it('STO-04 notice that the store is gone, or does not let them in any more, also where nobody asks, and say of what', async () => {
      const from = lab.output.length;
      const [user, password] = ['idle', 'tell-nobody'];
      await valkey.command('acl', 'setuser', user, 'on', `>${password}`, '~*', '+@all');
      const service = await replica({
        decisions: { store: `redis://${user}:${password}@127.0.0.1:${valkey.port}` },
      });
      const become = (figure: string) =>
        vi.waitFor(async () => expect(await available(service)).toEqual([figure, figure]), PATIENT);
      await become('1');
      await valkey.command('acl', 'setuser', user, 'resetpass');
      await valkey.command('client', 'kill', 'user', user);
      await become('0');
      await valkey.command('acl', 'setuser', user, `>${password}`);
      await become('1');
      await valkey.kill();
      await become('0');
      const lines = lab.output.slice(from).split('\n');
      for (const of of ['challenges', 'decisions']) {
        const told = lines.filter((line) => line.includes('"store out of reach"') && line.includes(`"of":"${of}"`));
        expect(told).toHaveLength(2);
      }
      await valkey.run();
    });

    it('STO-04, STO-06 withdraw a decision of which the answer was cut, and send it to nobody twice', async () => {
      const proxy = await FaultyProxy.start(valkey.port);
      const service = await replica({
        decisions: { store: `redis://127.0.0.1:${proxy.port}` },
        challenges: { key, store: 'memory' },
      });
      // What it asked at its start is answered by then.
      expect(await listed(service)).toEqual([]);
      proxy.failNext('half the answer passes');
      const cut = await lab.verify(service, { members });
      expect(verdictOf(cut)).toEqual(['indeterminate', 'audit_unavailable']);
      await vi.waitFor(
        async () => expect(verdictOf(await lab.verify(service, { members }))).toEqual(['allow']),
        PATIENT,
      );
      const found = await get(service, `/decisions/${cut.body.decisionId}`);
      expect(found.body.record).toMatchObject({ withdrawn: true });
      await service.close();
      await proxy.close();
    });

    it('LOG-02 let no allow leave where the server has no memory left', async () => {
      const service = await replica();
      await valkey.command('config', 'set', 'maxmemory', 1);
      try {
        expect(verdictOf(await lab.verify(service, { members }))).toEqual(['indeterminate', 'audit_unavailable']);
      } finally {
        await valkey.command('config', 'set', 'maxmemory', 0);
      }
      await vi.waitFor(
        async () => expect(verdictOf(await lab.verify(service, { members }))).toEqual(['allow']),
        PATIENT,
      );
    });

    it('STO-01 let no allow leave once the server lacks what it had, until they are started anew', async () => {
      const service = await replica();
      await lab.verify(service, { members });
      await valkey.command('flushall');
      for (let count = 0; count < 2; count++) {
        expect(verdictOf(await lab.verify(service, { members }))).toEqual(['indeterminate', 'audit_unavailable']);
      }
      expect(await isAvailable(service)).toBe('0');
      expect(lab.output).toContain('the decision store lacks records that it had');
      await service.close();
      expect(verdictOf(await lab.verify(await replica(), { members }))).toEqual(['allow']);
    });

    it.each([
      ['appendonly', 'no', 'has no append-only file, so a restart would lose decisions: appendonly has to be yes'],
      ['appendfsync', 'everysec', 'appendfsync is everysec, and has to be always'],
      ['maxmemory-policy', 'allkeys-lru', 'maxmemory-policy is allkeys-lru, and has to be noeviction'],
    ])('STO-03 do not start with a server whose %s is %s', async (name, value, why) => {
      const [, own = ''] = (await valkey.command('config', 'get', name)) as readonly string[];
      await valkey.command('config', 'set', name, value);
      try {
        await expect(replica()).rejects.toThrow(
          new RegExp(`^decisions\\.store: cannot be used: 127\\.0\\.0\\.1:\\d+: ${why}`),
        );
      } finally {
        await valkey.command('config', 'set', name, own);
      }
    });

    it('STO-03 do not start without the replicas that have to confirm', async () => {
      const store = { nodes: [valkey.url], replicas: 1 };
      await expect(replica({ decisions: { store } }, { storeTimeoutMs: 2000 })).rejects.toThrow(
        /^decisions\.store: cannot be used: .*: 0 of 1 replicas confirm within 1500 ms$/,
      );
    });

    it('STO-02 do not start with another challenge key than the others', async () => {
      await replica();
      const other = join(lab.root, 'another.key');
      await writeFile(other, randomBytes(32));
      await expect(replica({ challenges: { key: other } })).rejects.toThrow(
        /^challenges\.store: cannot be used: .*holds challenges of replicas with another challenge key/,
      );
    });
  },
);

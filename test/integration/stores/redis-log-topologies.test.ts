import { afterEach, describe, expect, it, vi } from 'vitest';
import { verifyLog } from '../../../src/log/verify-log.js';
import { SLOT } from '../../../src/stores/redis/locate-server.js';
import { LOG_KEYS } from '../../../src/stores/redis/log-keys.js';
import { ALL, chained } from '../../unit/log/log-store-behaviour.js';
import { judged, openLog } from '../../unit/log/recorded.js';
import { PATIENT } from './shared-challenges.js';
import { DURABLE, LogReplicas } from './shared-decisions.js';
import {
  cluster,
  endServers,
  HOST,
  idOf,
  isCopied,
  MASTER,
  meet,
  node,
  replicaOf,
  sentinelOf,
  started,
  through,
} from './topologies.js';
import { isWithoutValkey, Valkey } from './valkey.js';

const NO_EVIDENCE = { keptHeads: [], keys: null };
const LIMITS = { startLimitMs: PATIENT.timeout };

const replicas = new LogReplicas();

/** A primary, its replica, and a Sentinel that knows both. */
async function behindSentinel() {
  const primary = await started(Valkey.start(...DURABLE));
  const replica = await replicaOf(primary, ...DURABLE);
  const sentinel = await sentinelOf(primary, `sentinel down-after-milliseconds ${MASTER} 2000`);
  await vi.waitFor(async () => {
    expect(await sentinel.command('sentinel', 'replicas', MASTER)).toHaveLength(1);
  }, PATIENT);
  return { primary, replica, settings: through('sentinel', sentinel.port) };
}

async function isPrimary(replica: Valkey): Promise<void> {
  await vi.waitFor(async () => expect(await replica.info('role')).toBe('master'), PATIENT);
}

describe.skipIf(isWithoutValkey('decisions in Valkey behind Sentinels, and in a Cluster'))('decisions', () => {
  afterEach(async () => {
    await replicas.close();
    await endServers();
  });

  describe('behind Sentinels', () => {
    it('STO-01 that were told are there after a failover, and the chain goes on', async () => {
      const { primary, replica, settings } = await behindSentinel();
      const store = await replicas.start(0, { settings, replicas: 1, ...LIMITS });
      const { log, chain } = await vi.waitFor(() => openLog(store), PATIENT);
      const told: string[] = [];
      await vi.waitFor(async () => {
        const each = judged();
        await log.record(each);
        told.push(each.decision.decisionId);
        expect(told.length).toBeGreaterThan(10);
      }, PATIENT);
      await primary.kill();
      await isPrimary(replica);
      // Alone, it has nobody to confirm.
      await vi.waitFor(() => expect(store.last(chain)).rejects.toThrow('the store is out of reach'), PATIENT);
      const other = await replicas.start(replica.port, LIMITS);
      for (const decisionId of told) expect(await other.find(decisionId)).not.toBeNull();
      // No server may be used.
      expect(log.isAvailable).toBe(false);
      await expect(log.record(judged())).rejects.toThrow();
      await primary.run();
      // Sentinel would do so, but takes its time.
      await primary.command('replicaof', HOST, replica.port);
      await vi.waitFor(() => log.record(judged()), PATIENT);
      expect((await other.chains()).map((end) => end.chain)).toEqual([chain]);
      expect((await verifyLog(other, NO_EVIDENCE)).problems).toEqual([]);
    }, 90_000);

    it('STO-01 that a failover has lost are missed, and none takes their place', async () => {
      const { primary, replica, settings } = await behindSentinel();
      const store = await replicas.start(0, { settings, ...LIMITS });
      const { log, lines, chain } = await vi.waitFor(() => openLog(store), PATIENT);
      await vi.waitFor(() => log.record(judged()), PATIENT);
      await isCopied(primary, replica);
      const before = await store.last(chain);
      // From here on the replica hears of nothing.
      await primary.command('acl', 'setuser', 'default', '-psync', '-sync');
      await primary.command('client', 'kill', 'type', 'replica');
      await vi.waitFor(() => log.record(judged()), PATIENT);
      await primary.kill();
      await isPrimary(replica);
      await vi.waitFor(
        () => expect(log.record(judged())).rejects.toThrow('the store lacks records that it had'),
        PATIENT,
      );
      expect(log.isAvailable).toBe(false);
      const other = await replicas.start(replica.port, LIMITS);
      expect(await other.last(chain)).toMatchObject({ seq: before?.seq });
      const told = lines.messages('error').filter((message) => message.startsWith('the decision store lacks records'));
      expect(told).toHaveLength(1);
    }, 90_000);
  });

  describe('in a Cluster', () => {
    it('are in one node of three, whichever is asked, in a chain for each process', async () => {
      const nodes = await cluster(3, ...DURABLE);
      for (const key of LOG_KEYS) expect(await nodes[0]?.command('cluster', 'keyslot', key)).toBe(SLOT);
      const stores = await Promise.all(
        nodes.map(({ port }) =>
          replicas.start(0, { settings: through('cluster', port), startLimitMs: PATIENT.timeout }),
        ),
      );
      const logs = await Promise.all(stores.map((store) => openLog(store)));
      for (const { log } of logs) await log.record(judged());
      for (const store of stores) {
        expect(await store.chains()).toHaveLength(3);
        expect(await store.list(ALL)).toHaveLength(3);
      }
      expect(await verifyLog(stores[0] as never, NO_EVIDENCE)).toMatchObject({ problems: [], decisions: 3 });
    }, 60_000);

    it('STO-01 are there after a failover that lost none, and the chain goes on', async () => {
      const nodes = await cluster(3, ...DURABLE);
      const [primary] = nodes;
      if (primary === undefined) throw new Error('no nodes');
      const replica = await node(...DURABLE);
      await meet([...nodes, replica]);
      await replica.command('cluster', 'replicate', await idOf(primary));
      await vi.waitFor(async () => expect(await replica.info('master_link_status')).toBe('up'), PATIENT);
      const ports = nodes.map(({ port }) => port);
      const store = await replicas.start(0, { settings: through('cluster', ...ports), startLimitMs: PATIENT.timeout });
      const { log } = await openLog(store);
      const told = judged();
      await log.record(told);
      await isCopied(primary, replica);
      await primary.kill();
      await vi.waitFor(() => log.record(judged()), PATIENT);
      expect(await replica.info('role')).toBe('master');
      expect(await store.find(told.decision.decisionId)).not.toBeNull();
      expect((await verifyLog(store, NO_EVIDENCE)).problems).toEqual([]);
    }, 60_000);

    it('are stored where their slot is now, once it has moved', async () => {
      const [from, to] = await cluster(2, ...DURABLE);
      if (from === undefined || to === undefined) throw new Error('no nodes');
      const store = await replicas.start(0, {
        settings: through('cluster', to.port, from.port),
        startLimitMs: PATIENT.timeout,
      });
      const chain = crypto.randomUUID();
      const [first, second] = chained(chain, [{}, {}]);
      await store.append([first as never]);
      const [fromId, toId] = [await idOf(from), await idOf(to)];
      await to.command('cluster', 'setslot', SLOT, 'importing', fromId);
      await from.command('cluster', 'setslot', SLOT, 'migrating', toId);
      const keys = (await from.command('cluster', 'getkeysinslot', SLOT, 100)) as readonly string[];
      for (const key of keys) await from.command('migrate', '127.0.0.1', to.port, key, 0, 10_000);
      for (const each of [to, from]) await each.command('cluster', 'setslot', SLOT, 'node', toId);
      await expect(store.append([second as never])).rejects.toThrow(/^MOVED /);
      await vi.waitFor(async () => expect(await store.last(chain)).toMatchObject({ seq: 0 }), PATIENT);
      await store.append([second as never]);
    }, 60_000);
  });
});

import { afterEach, describe, expect, it, vi } from 'vitest';
import { SLOT } from '../../../src/stores/redis/locate-server.js';
import { RecordingLog } from '../../unit/endorsements/recording-log.js';
import { ANYTHING, ASKED, inSeconds, isBack, PATIENT, Replicas, stateOf } from './shared-challenges.js';
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
import { freePort, isWithoutValkey, Valkey } from './valkey.js';

const VOID = 'the challenge is from before a restart or failover of the store';
const RESTARTED = /^the challenge store was restarted, or is another server now/;
const replicas = new Replicas();

function unlessTaken(error: Error): void {
  if (error.message !== 'challenge id is taken') throw error;
}

describe.skipIf(isWithoutValkey('challenges in Valkey behind Sentinels, and in a Cluster'))('challenges', () => {
  afterEach(async () => {
    await replicas.close();
    await endServers();
  });

  describe('behind Sentinels', () => {
    it('STO-01 are void after a failover, and new ones are good', async () => {
      const primary = await started(Valkey.start());
      const replica = await replicaOf(primary);
      const sentinel = await sentinelOf(primary);
      await vi.waitFor(async () => {
        expect(await sentinel.command('sentinel', 'replicas', MASTER)).toHaveLength(1);
      }, PATIENT);
      const log = new RecordingLog();
      const nobody = await freePort();
      const limits = { commandTimeoutMs: 200, startLimitMs: PATIENT.timeout };
      const store = await replicas.start(0, { log, settings: through('sentinel', nobody, sentinel.port), ...limits });
      for (const id of ['used', 'unused']) {
        // Late, it may have been put all the same.
        await vi.waitFor(() => store.put(id, ANYTHING, inSeconds(300)).catch(unlessTaken), PATIENT);
      }
      await isCopied(primary, replica);
      primary.pause();
      // The replica does not hear of it: what it has is older.
      await vi.waitFor(() => expect(store.consume('used', ASKED)).rejects.toThrow('out of reach'), PATIENT);
      await vi.waitFor(async () => expect(await replica.info('role')).toBe('master'), PATIENT);
      await isBack(store);
      expect(await replica.command('hget', '{veritee}:challenge:used', 'unused')).toBe('1');
      for (const id of ['used', 'unused']) {
        await vi.waitFor(() => expect(store.consume(id, ASKED)).rejects.toThrow(VOID), PATIENT);
      }
      expect(log.of(RESTARTED)).toHaveLength(1);
    }, 60_000);

    it('are asked for with the password only where that is demanded', async () => {
      const password = 'secret';
      const primary = await started(Valkey.start(`requirepass ${password}`));
      const auth = `sentinel auth-pass ${MASTER} ${password}`;
      const [open, closed] = [
        await sentinelOf(primary, auth),
        await sentinelOf(primary, auth, `requirepass ${password}`),
      ];
      for (const { port } of [open, closed]) {
        await isBack(await replicas.start(0, { settings: { ...through('sentinel', port), password } }));
      }
      const refused = replicas.start(0, { settings: { ...through('sentinel', closed.port), password: 'wrong' } });
      await expect(refused).rejects.toThrow('refuses the password');
    });

    it('are in the server that another Sentinel names, where the first one does not know better than before', async () => {
      const [before, primary] = [await started(Valkey.start()), await started(Valkey.start())];
      const [stale, sentinel] = [await sentinelOf(before), await sentinelOf(primary)];
      await before.command('replicaof', HOST, primary.port);
      const settings = through('sentinel', stale.port, sentinel.port);
      await isBack(await replicas.start(0, { settings, startLimitMs: PATIENT.timeout }));
      expect(await primary.command('exists', '{veritee}:challenge-key')).toBe(1);
    });

    it('have no place where no Sentinel knows the server, and that is said', async () => {
      const sentinel = await sentinelOf(await started(Valkey.start()));
      const nobody = await freePort();
      const settings = { ...through('sentinel', nobody, sentinel.port), master: 'other' };
      const refused = replicas.start(0, { settings });
      await expect(refused).rejects.toThrow(`127.0.0.1:${nobody}: connect ECONNREFUSED`);
      await expect(refused).rejects.toThrow(`127.0.0.1:${sentinel.port} knows no server by the name other`);
    });
  });

  describe('in a Cluster', () => {
    it('FRS-02 are in one node of three, whichever is asked, and are good once', async () => {
      const nodes = await cluster(3);
      expect(await nodes[0]?.command('cluster', 'keyslot', '{veritee}:x')).toBe(SLOT);
      const stores = await Promise.all(
        nodes.map(({ port }) => replicas.start(0, { settings: through('cluster', port) })),
      );
      await stores[0]?.put('c', ANYTHING, inSeconds(300));
      const states = await Promise.all(stores.map((store) => stateOf(store.consume('c', ASKED))));
      expect(states.toSorted()).toEqual(['consumed', 'used', 'used']);
    }, 60_000);

    it('are looked for anew where their slot has moved', async () => {
      const [from, to] = await cluster(2);
      if (from === undefined || to === undefined) throw new Error('no nodes');
      const store = await replicas.start(0, { settings: through('cluster', to.port, from.port) });
      await store.put('c', ANYTHING, inSeconds(300));
      const [fromId, toId] = [await idOf(from), await idOf(to)];
      await to.command('cluster', 'setslot', SLOT, 'importing', fromId);
      await from.command('cluster', 'setslot', SLOT, 'migrating', toId);
      const keys = (await from.command('cluster', 'getkeysinslot', SLOT, 100)) as readonly string[];
      for (const key of keys) await from.command('migrate', HOST, to.port, key, 0, 10_000);
      for (const each of [to, from]) await each.command('cluster', 'setslot', SLOT, 'node', toId);
      await expect(store.put('d', ANYTHING, inSeconds(300))).rejects.toThrow(/^MOVED /);
      await isBack(store);
      await expect(store.consume('c', ASKED)).rejects.toThrow(VOID);
    }, 60_000);

    it('STO-01 are void after a failover, and new ones are good', async () => {
      const nodes = await cluster(3);
      const [primary] = nodes;
      if (primary === undefined) throw new Error('no nodes');
      const replica = await node();
      await meet([...nodes, replica]);
      await replica.command('cluster', 'replicate', await idOf(primary));
      await vi.waitFor(async () => expect(await replica.info('master_link_status')).toBe('up'), PATIENT);
      const store = await replicas.start(0, { settings: through('cluster', ...nodes.map(({ port }) => port)) });
      await store.put('c', ANYTHING, inSeconds(300));
      await isCopied(primary, replica);
      await primary.kill();
      await isBack(store);
      expect(await replica.info('role')).toBe('master');
      await expect(store.consume('c', ASKED)).rejects.toThrow(VOID);
    }, 60_000);

    it('of one node are there too, though it does not know its own address', async () => {
      const [only] = await cluster(1);
      await isBack(await replicas.start(0, { settings: through('cluster', only?.port ?? 0) }));
    });

    it('have no place where no node has their slot, and that is said', async () => {
      const { port } = await node();
      const refused = replicas.start(0, { settings: through('cluster', port) });
      await expect(refused).rejects.toThrow(`127.0.0.1:${port} knows no node that has the slot of {veritee}`);
    });

    it('have no place in a server that is no node', async () => {
      const { port } = await started(Valkey.start());
      const refused = replicas.start(0, { settings: through('cluster', port) });
      await expect(refused).rejects.toThrow('cluster support disabled');
    });
  });
});

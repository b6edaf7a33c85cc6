import { expect, vi } from 'vitest';
import type { RedisSettings } from '../../../src/stores/redis/redis-settings.js';
import { PATIENT, settingsFor } from './shared-challenges.js';
import { freePort, Valkey } from './valkey.js';

export const HOST = '127.0.0.1';
export const MASTER = 'main';
const SLOTS = 16_384;

const running: Valkey[] = [];

export async function started(starting: Promise<Valkey>): Promise<Valkey> {
  const valkey = await starting;
  running.push(valkey);
  return valkey;
}

export async function replicaOf(primary: Valkey, ...settings: readonly string[]): Promise<Valkey> {
  const replica = await started(Valkey.start(`replicaof ${HOST} ${primary.port}`, ...settings));
  await vi.waitFor(async () => expect(await replica.info('master_link_status')).toBe('up'), PATIENT);
  return replica;
}

/** Ends every server that was started. */
export async function endServers(): Promise<void> {
  await Promise.all(running.splice(0).map((valkey) => valkey.close()));
}

/** Waits until the replica has as many keys as the primary. */
export async function isCopied(primary: Valkey, replica: Valkey): Promise<void> {
  const count = await primary.command('dbsize');
  await vi.waitFor(async () => expect(await replica.command('dbsize')).toBe(count), PATIENT);
}

export function sentinelOf(primary: Valkey, ...settings: readonly string[]): Promise<Valkey> {
  return started(
    Valkey.startSentinel(
      `sentinel monitor ${MASTER} ${HOST} ${primary.port} 1`,
      `sentinel down-after-milliseconds ${MASTER} 500`,
      ...settings,
    ),
  );
}

export function node(...settings: readonly string[]): Promise<Valkey> {
  return freePort().then((port) =>
    started(Valkey.start('cluster-enabled yes', `cluster-port ${port}`, 'cluster-node-timeout 1000', ...settings)),
  );
}

export async function idOf(valkey: Valkey): Promise<string> {
  return String(await valkey.command('cluster', 'myid'));
}

async function busPortOf(valkey: Valkey): Promise<number> {
  const [, port] = (await valkey.command('config', 'get', 'cluster-port')) as readonly string[];
  return Number(port);
}

/** A Cluster of as many nodes, each with a part of the slots. */
export async function cluster(count: number, ...settings: readonly string[]): Promise<readonly Valkey[]> {
  const nodes = await Promise.all(Array.from({ length: count }, () => node(...settings)));
  for (const [index, each] of nodes.entries()) {
    const [first, next] = [index, index + 1].map((part) => Math.floor((part * SLOTS) / count));
    await each.command('cluster', 'addslotsrange', first ?? 0, (next ?? SLOTS) - 1);
    await each.command('cluster', 'set-config-epoch', index + 1);
  }
  await meet(nodes);
  return nodes;
}

export async function meet(nodes: readonly Valkey[]): Promise<void> {
  const [first, ...others] = nodes;
  for (const each of others)
    await each.command('cluster', 'meet', HOST, first?.port ?? 0, await busPortOf(first ?? each));
  for (const each of nodes) {
    await vi.waitFor(async () => {
      const info = String(await each.command('cluster', 'info'));
      expect(info).toContain('cluster_state:ok');
      expect(info).toContain(`cluster_known_nodes:${nodes.length}`);
      expect(info).toContain(`cluster_slots_ok:${SLOTS}`);
    }, PATIENT);
  }
}

export const through = (mode: 'sentinel' | 'cluster', ...ports: readonly number[]): Partial<RedisSettings> => ({
  ...settingsFor(...ports),
  mode,
  master: mode === 'sentinel' ? MASTER : null,
});

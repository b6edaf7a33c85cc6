import { type Configuration, challengeKeyPath, resetMemoryDirectory } from '../config/configuration.js';
import { sharedChallenges } from '../config/redis-store.js';
import { policiesByTenant } from '../config/tenants.js';
import type { ResetMemory } from '../core/vtpm-resets.js';
import { ResetTracking } from '../judge/reset-tracking.js';
import { readChallengeKey } from '../stores/challenge-key.js';
import { FileResetMemory } from '../stores/file-reset-memory.js';
import { ReplicaResetMemory } from '../stores/replica-reset-memory.js';
import type { OpenParts } from './open-parts.js';
import { type ChallengeWorld, openSharedResets } from './redis-stores.js';
import { ResetsOnDemand, type SharedResets } from './resets-on-demand.js';

/** Memory of the vTPMs of one tenant. */
export interface TenantResets {
  /** The memory of this process itself. */
  readonly files: FileResetMemory;
  readonly tracking: ResetTracking;
}

/**
 * Memories by tenant, so that no tenant raises or learns counts of another's. Where replicas share challenges, they share counts.
 * @throws {ConfigurationError} where the store that they share does not answer, or must not be used
 */
export async function openResets(
  configuration: Configuration,
  world: ChallengeWorld,
  opened: OpenParts,
): Promise<ReadonlyMap<string, TenantResets>> {
  const store = sharedChallenges(configuration);
  const shared = store === null ? null : opened.add(await openSharedResets(store, world));
  return openMemories(configuration, { ...world, shared }, opened);
}

/** The same for a command: the store that replicas share is asked once there is something to ask it. */
export function openResetsOfCommand(
  configuration: Configuration,
  world: Omit<ChallengeWorld, 'key'>,
  opened: OpenParts,
): ReadonlyMap<string, TenantResets> {
  const store = sharedChallenges(configuration);
  const open = async (from: NonNullable<typeof store>) => {
    const file = challengeKeyPath(configuration);
    const key = await readChallengeKey(file);
    if (key === null) throw new Error(`${file}: there is no such file`);
    return openSharedResets(from, { ...world, key }, 0);
  };
  const shared = store === null ? null : opened.add(new ResetsOnDemand(() => open(store), world.log));
  return openMemories(configuration, { ...world, shared }, opened);
}

function openMemories(
  configuration: Configuration,
  { log, shared }: Pick<ChallengeWorld, 'log'> & { readonly shared: SharedResets | null },
  opened: OpenParts,
): ReadonlyMap<string, TenantResets> {
  const tenants = [...policiesByTenant(configuration).keys()];
  return new Map(
    tenants.map((tenant) => {
      const folder = resetMemoryDirectory(configuration, tenant);
      const files = opened.add(new FileResetMemory({ folder, log }));
      const memory: ResetMemory = shared === null ? files : new ReplicaResetMemory(files, shared.of(tenant));
      return [tenant, { files, tracking: new ResetTracking(memory, log) }];
    }),
  );
}

/** How vTPMs are tracked, by tenant. */
export function trackingsOf(resets: ReadonlyMap<string, TenantResets>): ReadonlyMap<string, ResetTracking> {
  return new Map([...resets].map(([tenant, { tracking }]) => [tenant, tracking]));
}

import { type Configuration, resetMemoryDirectory } from '../config/configuration.js';
import { policiesByTenant } from '../config/tenants.js';
import type { Log } from '../core/ports.js';
import type { ResetMemory } from '../core/vtpm-resets.js';
import { ResetTracking } from '../judge/reset-tracking.js';
import { FileResetMemory } from '../stores/file-reset-memory.js';
import { ReplicaResetMemory } from '../stores/replica-reset-memory.js';
import type { OpenParts } from './open-parts.js';

/** Memory of reset counts of the vTPMs of one tenant. */
export interface TenantResets {
  /** The memory of this process itself. */
  readonly files: FileResetMemory;
  readonly tracking: ResetTracking;
}

export interface ResetsOptions {
  readonly log: Log;
  /** Counts of a tenant that replicas share; null if they share none. */
  readonly shared: ((tenant: string) => ResetMemory) | null;
}

/** Opens a memory for each tenant, so no tenant can raise or read counts of another. */
export function openResets(
  configuration: Configuration,
  { log, shared }: ResetsOptions,
  opened: OpenParts,
): ReadonlyMap<string, TenantResets> {
  const tenants = [...policiesByTenant(configuration).keys()];
  return new Map(
    tenants.map((tenant) => {
      const folder = resetMemoryDirectory(configuration, tenant);
      const files = opened.add(new FileResetMemory({ folder, log }));
      const memory: ResetMemory = shared === null ? files : new ReplicaResetMemory(files, shared(tenant));
      return [tenant, { files, tracking: new ResetTracking(memory, log) }];
    }),
  );
}

/** The tracking of reset counts, by tenant. */
export function trackingsOf(resets: ReadonlyMap<string, TenantResets>): ReadonlyMap<string, ResetTracking> {
  return new Map([...resets].map(([tenant, { tracking }]) => [tenant, tracking]));
}

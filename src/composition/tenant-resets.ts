import { type Configuration, resetMemoryDirectory } from '../config/configuration.js';
import { policiesByTenant } from '../config/tenants.js';
import type { Exclusive } from '../model/exclusive.js';
import type { Log } from '../model/ports.js';
import { ResetTracking } from '../service/reset-tracking.js';
import { FileResetMemory } from '../stores/file-reset-memory.js';
import type { OpenParts } from './open-parts.js';

/** Memory of the vTPMs of one tenant. */
export interface TenantResets {
  readonly memory: FileResetMemory;
  readonly tracking: ResetTracking;
}

interface ResetsWorld {
  readonly log: Log;
  readonly exclusive?: Exclusive | undefined;
}

/** Memories by tenant, so that no tenant raises or learns counts of another's. */
export function openResets(
  configuration: Configuration,
  { log, exclusive }: ResetsWorld,
  opened: OpenParts,
): ReadonlyMap<string, TenantResets> {
  const tenants = [...policiesByTenant(configuration).keys()];
  return new Map(
    tenants.map((tenant) => {
      const folder = resetMemoryDirectory(configuration, tenant);
      const memory = opened.add(new FileResetMemory({ folder, log, exclusive }));
      return [tenant, { memory, tracking: new ResetTracking(memory, log) }];
    }),
  );
}

/** How vTPMs are tracked, by tenant. */
export function trackingsOf(resets: ReadonlyMap<string, TenantResets>): ReadonlyMap<string, ResetTracking> {
  return new Map([...resets].map(([tenant, { tracking }]) => [tenant, tracking]));
}

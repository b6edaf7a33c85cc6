import type { ManagementConfiguration } from '../config/configuration.js';
import { type ManagementDependencies, type RunningManagement, startManagement } from '../http/management.js';
import type { RunningServer } from '../http/server.js';
import { type ReadinessUseCase, STARTING } from '../judge/health.js';
import type { ReloadedAccess } from './reload/reloaded-access.js';

/** The port of `listen.management` cannot be opened; the cause says why. */
export class ManagementPortError extends Error {
  override readonly name = 'ManagementPortError';
}

/** The dependencies of the management listener. */
export interface ManagementWorld extends Pick<ManagementDependencies, 'liveness' | 'metrics' | 'log'> {
  readonly access: Pick<ReloadedAccess, 'callers' | 'managementTls'>;
  readonly readiness: ReadinessUseCase;
}

/**
 * Opens the listener for probes and metrics; null where they are served beside the rest.
 * @throws {ManagementPortError}
 */
export async function openManagement(
  management: ManagementConfiguration | null,
  { access, ...world }: ManagementWorld,
): Promise<RunningManagement | null> {
  if (management === null) return null;
  const dependencies: ManagementDependencies = {
    ...world,
    callers: () => access.callers,
    settings: { tls: access.managementTls, metrics: management.metrics },
  };
  try {
    return await startManagement(dependencies, management);
  } catch (cause) {
    throw new ManagementPortError('the management listener cannot be opened', { cause });
  }
}

/** Not ready before the service listens, and not once it is told to stop. @param server null: it does not listen yet */
export function readinessWhileServing(server: () => Pick<RunningServer, 'readiness'> | null): ReadinessUseCase {
  return { execute: async () => (await server()?.readiness.execute()) ?? STARTING };
}

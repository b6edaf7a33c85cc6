import type { Configuration, ManagementConfiguration } from '../config/configuration.js';
import { bindPort } from '../http/bound-port.js';
import { type ManagementDependencies, type RunningManagement, startManagement } from '../http/management.js';
import type { RunningServer } from '../http/server.js';
import type { ClockWatch } from '../judge/clock-watch.js';
import { STARTING } from '../judge/health.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { OpenParts } from './open-parts.js';
import type { ReloadedAccess } from './reload/reloaded-access.js';

/** The port of `listen.management` cannot be opened; the cause says why. */
export class ManagementPortError extends Error {
  override readonly name = 'ManagementPortError';
}

/** The dependencies of the ports. */
export interface PortsOptions extends Pick<ManagementDependencies, 'log'> {
  readonly clockWatch: ClockWatch;
  readonly metrics: Metrics;
  readonly access: ReloadedAccess;
  /** Null: the service does not listen yet. */
  readonly server: () => RunningServer | null;
}

/**
 * Opens the ports before the decision log, so a start that fails here writes nothing to that log. The management
 * listener opens first, so it closes last.
 * @throws {ManagementPortError}
 */
export async function openPorts(
  { listen }: Configuration,
  { server, clockWatch, metrics, log, access }: PortsOptions,
  opened: OpenParts,
) {
  // Not ready before the service listens, and not ready while it stops.
  const readiness = { execute: async () => (await server()?.readiness.execute()) ?? STARTING };
  metrics.watchReadiness(readiness);
  const probes = { liveness: clockWatch.liveness, readiness, metrics, log };
  const management = await openManagement(listen.management, access, probes);
  if (management !== null) opened.add(management);
  return { management, bound: opened.add(await bindPort(listen, access.tls)) };
}

/** Opens the listener for probes and metrics; null if the main listener serves them. */
async function openManagement(
  management: ManagementConfiguration | null,
  access: ReloadedAccess,
  probes: Pick<ManagementDependencies, 'liveness' | 'readiness' | 'metrics' | 'log'>,
): Promise<RunningManagement | null> {
  if (management === null) return null;
  const dependencies: ManagementDependencies = {
    ...probes,
    callers: () => access.callers,
    settings: { tls: access.managementTls, metrics: management.metrics },
  };
  try {
    return await startManagement(dependencies, management);
  } catch (cause) {
    throw new ManagementPortError('the management listener cannot be opened', { cause });
  }
}

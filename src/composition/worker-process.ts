import { createLog } from '../http/log.js';
import type { StartedWith } from '../workers/protocol.js';
import { type ParentChannel, type SharedByWorkers, serveParent } from '../workers/served-worker.js';
import { type RunningService, startService, type World } from './service.js';

type WorkerWorld = Omit<World, 'log' | 'together'>;

/**
 * A worker of `veritee serve`. Its parent says what it does; signals are the parent's, to which a terminal sends them too.
 * @param world for tests
 * @returns once it is told to stop, and has
 */
export async function runWorker(world: WorkerWorld = {}): Promise<void> {
  for (const signal of ['SIGHUP', 'SIGTERM', 'SIGINT'] as const) process.on(signal, () => {});
  await serveParent(PARENT, (how, shared) => {
    const log = createLog(how.configuration.log.level).child({ worker: how.worker });
    return openWorker(how, shared, { ...world, log });
  });
  // The channel alone keeps the process.
  process.disconnect();
}

/** Where the parent is gone, node ends this process. */
const PARENT: ParentChannel = {
  send: (message) => void process.send?.(message, undefined, {}, () => {}),
  onMessage: (hear) => void process.on('message', hear),
};

/** The service of a worker. @throws {ConfigurationError} where a file that the configuration names is wrong */
export function openWorker(
  { configuration, worker: _worker, ticketKeys: _ticketKeys, ...given }: StartedWith,
  { calls, ...shared }: SharedByWorkers,
  world: Omit<World, 'together'>,
): Promise<RunningService> {
  const together = {
    ...shared,
    ...given,
    proofs: { use: (gate: string, jkt: string, jti: string) => calls.proof({ gate, jkt, jti }) },
    endorsement: (tenant: string, sha256: string) => calls.endorsement({ tenant, sha256 }),
    figures: calls.metrics,
    handedOver: calls.handedOver,
  };
  return startService(configuration, { ...world, together });
}

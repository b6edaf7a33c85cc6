import { createLog } from '../http/log.js';
import { type ParentChannel, type SharedByWorkers, serveParent } from '../workers/served-worker.js';
import { startService, type World } from './service.js';
import type { Together } from './together.js';

/**
 * A worker of `veritee serve`. Its parent says what it does; signals are the parent's, to which a terminal sends them too.
 * @param world for tests
 * @returns once it is told to stop, and has
 */
export async function runWorker(world: Omit<World, 'log' | 'together'> = {}): Promise<void> {
  for (const signal of ['SIGHUP', 'SIGTERM', 'SIGINT'] as const) process.on(signal, () => {});
  await serveParent(PARENT, async ({ worker, configuration, port, ephemeralKey }, shared) => {
    const log = createLog(configuration.log.level).child({ worker });
    return startService(configuration, { ...world, log, together: togetherBy(shared, { port, ephemeralKey }) });
  });
  // The channel alone keeps the process.
  process.disconnect();
}

/** Where the parent is gone, node ends this process. */
const PARENT: ParentChannel = {
  send: (message) => void process.send?.(message, undefined, {}, () => {}),
  onMessage: (hear) => void process.on('message', hear),
};

function togetherBy({ ask, ...shared }: SharedByWorkers, given: Pick<Together, 'port' | 'ephemeralKey'>): Together {
  return {
    ...shared,
    ...given,
    proofs: { use: (gate, jkt, jti) => ask('proof', { gate, jkt, jti }) },
    figures: () => ask('metrics'),
  };
}

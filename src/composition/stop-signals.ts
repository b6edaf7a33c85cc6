import type { Log } from '../model/ports.js';
import type { RunningService } from './service.js';

/** Serves until SIGTERM or SIGINT, and drains. SIGHUP reads policies and endorsements again. */
export function serveUntilStopped(service: RunningService, log: Log): Promise<void> {
  return new Promise((resolve) => {
    const reload = () => void service.reload();
    const stop = (signal: NodeJS.Signals) => {
      log.info({ signal }, 'stopping');
      process.removeListener('SIGHUP', reload);
      void service.close().then(resolve, (error: unknown) => {
        log.error({ err: error }, 'stopping failed');
        resolve();
      });
    };
    process.on('SIGHUP', reload);
    process.once('SIGTERM', stop);
    process.once('SIGINT', stop);
  });
}

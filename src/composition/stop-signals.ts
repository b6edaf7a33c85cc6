import type { Log } from '../model/ports.js';
import type { RunningService } from './service.js';

/**
 * Serves until SIGTERM or SIGINT, and drains. SIGHUP reads policies, endorsements and roots again.
 * A second signal while draining changes nothing: Ctrl-C reaches a child of npm twice.
 */
export function serveUntilStopped(service: RunningService, log: Log): Promise<void> {
  return new Promise((resolve) => {
    let stopping = false;
    const stop = (signal: NodeJS.Signals) => {
      if (stopping) return;
      stopping = true;
      log.info({ signal }, 'stopping');
      void service.close().then(resolve, (error: unknown) => {
        log.error({ err: error }, 'stopping failed');
        resolve();
      });
    };
    process.on('SIGHUP', () => {
      if (!stopping) void service.reload();
    });
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
  });
}

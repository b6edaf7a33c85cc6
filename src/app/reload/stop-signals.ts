import type { Log } from '../../core/ports.js';
import type { RunningService } from '../service.js';

/** Exit codes of a shell: 128 plus the number of the signal. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Handles the signals of the service from construction on. SIGTERM and SIGINT drain it, and SIGHUP reloads it. Signals
 * received during startup are handled once the service listens. By default SIGHUP would end the process, and the first
 * process of a container would not receive SIGTERM. A second stop signal ends a start that hangs.
 */
export class StopSignals {
  #stop: NodeJS.Signals | null = null;
  #reload = false;
  /** Whether the service has ever listened. */
  #isUp = false;
  /** The action of a signal. Until the service listens, the signal is only stored. */
  #act: () => void = () => {};

  constructor() {
    process.on('SIGHUP', () => {
      this.#reload = true;
      this.#act();
    });
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        if (this.#stop !== null && !this.#isUp) process.exit(EXIT_CODES[signal]);
        this.#stop ??= signal;
        this.#act();
      });
    }
  }

  /**
   * Serves until a stop signal, then drains. A second signal while draining has no effect: Ctrl-C reaches a child of
   * npm twice.
   */
  serve(service: Pick<RunningService, 'reload' | 'close'>, log: Log): Promise<void> {
    return new Promise((resolve) => {
      let stopping = false;
      const stop = (signal: NodeJS.Signals) => {
        stopping = true;
        log.info({ signal }, 'stopping');
        void service.close().then(resolve, (error: unknown) => {
          log.error({ err: error }, 'stopping failed');
          resolve();
        });
      };
      this.#act = () => {
        if (stopping) return;
        if (this.#stop !== null) stop(this.#stop);
        else if (this.#reload)
          void service.reload().catch((error: unknown) => log.error({ err: error }, 'reload failed'));
        this.#reload = false;
      };
      this.#isUp = true;
      this.#act();
    });
  }
}

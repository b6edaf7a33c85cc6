import { AggregatorRegistry, Counter, Gauge, Registry } from 'prom-client';
import { FAILED_RELOADS, type ProcessFigures, RELOAD_RESULTS } from './metrics.js';

/** Of a reload that failed as a whole, as the part of the metrics of reloads. */
const WHOLE = 'all workers';

/** Figures of workers, by their numbers. */
export type FiguresByWorker = ReadonlyMap<number, ProcessFigures>;

/**
 * Metrics of several workers as those of one service: counters and histograms are added up, and every gauge has the label `worker`.
 * What a worker had counted before it ended stays counted, so that no counter falls as long as the service runs.
 */
export class AddedFigures {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;
  readonly #own = new Registry();
  readonly #crashes: Counter;
  readonly #failedReloads: Counter<'part'>;
  readonly #reloadResult: Gauge<'part'>;
  /** As each worker last gave them. */
  readonly #last = new Map<number, ProcessFigures>();
  /** Counts of workers that have ended. */
  #ended: ProcessFigures = [];

  /**
   * @param listening how many workers answer now
   * @param configured how many should
   */
  constructor(listening: () => number, configured: number) {
    const registers = [this.#own];
    this.#crashes = new Counter({
      name: 'veritee_worker_crashes_total',
      help: 'Workers that have ended by themselves.',
      registers,
    });
    this.#failedReloads = new Counter({ ...FAILED_RELOADS, registers });
    this.#reloadResult = new Gauge({ ...RELOAD_RESULTS, registers });
    new Gauge({
      name: 'veritee_workers_configured',
      help: 'Workers that should answer.',
      registers,
    }).set(configured);
    new Gauge({
      name: 'veritee_workers',
      help: 'Workers that answer.',
      registers,
      collect() {
        this.set(listening());
      },
    });
  }

  /** Hears whether a reload was put in force. Where not, no worker has changed anything. */
  reloaded(isTaken: boolean): void {
    this.#reloadResult.set({ part: WHOLE }, isTaken ? 1 : 0);
    if (!isTaken) this.#failedReloads.inc({ part: WHOLE });
  }

  /** The worker has ended: another one with its number begins at nothing. What it counted since it was last asked is lost. */
  lost(worker: number): void {
    this.#crashes.inc();
    const counted = (this.#last.get(worker) ?? []).filter(({ type }) => !isGauge(type));
    this.#last.delete(worker);
    this.#ended = sumOf([...this.#ended, ...counted]);
  }

  /** The text format of Prometheus. @param live of those that answered now; of others, what they gave before */
  async text(live: FiguresByWorker): Promise<string> {
    for (const [worker, figures] of live) this.#last.set(worker, figures);
    const ofWorkers = [...this.#last].flatMap(([worker, figures]) => labelled(worker, figures));
    const own: ProcessFigures = await this.#own.getMetricsAsJSON();
    return added([...this.#ended, ...ofWorkers, ...own]).metrics();
  }
}

function added(figures: ProcessFigures): Registry {
  // Metrics of one name become one. The library takes lists by process, and asks no more of them.
  return AggregatorRegistry.aggregate([[...figures]]);
}

function sumOf(figures: ProcessFigures): ProcessFigures {
  return added(figures).getMetricsAsArray() as unknown as ProcessFigures;
}

function labelled(worker: number, figures: ProcessFigures): ProcessFigures {
  return figures.map((metric) => {
    if (!isGauge(metric.type)) return metric;
    const values = metric.values.map((value) => ({ ...value, labels: { ...value.labels, worker } }));
    return { ...metric, values };
  });
}

/** The library's types say a number where there is a word. */
function isGauge(type: unknown): boolean {
  return type === 'gauge';
}

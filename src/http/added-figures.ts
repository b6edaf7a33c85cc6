import { AggregatorRegistry, Counter, Gauge, Registry } from 'prom-client';
import type { ProcessFigures } from './metrics.js';

/** Figures of workers, by their numbers. */
export type FiguresByWorker = ReadonlyMap<number, ProcessFigures>;

/**
 * Metrics of several workers as those of one service: counters and histograms are added up, and every gauge has the label `worker`.
 * What a worker had counted before it ended stays counted, so that no counter falls as long as the service runs.
 */
export class AddedFigures {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;
  readonly #own = new Registry();
  readonly #restarts: Counter;
  /** As each worker last gave them. */
  readonly #last = new Map<number, ProcessFigures>();
  /** Counts of workers that have ended. */
  #ended: ProcessFigures = [];

  /** @param listening how many workers answer now */
  constructor(listening: () => number) {
    const registers = [this.#own];
    this.#restarts = new Counter({
      name: 'veritee_worker_restarts_total',
      help: 'Workers that have ended by themselves, and were started again.',
      registers,
    });
    new Gauge({
      name: 'veritee_workers',
      help: 'Workers that answer.',
      registers,
      collect() {
        this.set(listening());
      },
    });
  }

  /** The worker has ended: another one with its number begins at nothing. What it counted since it was last asked is lost. */
  lost(worker: number): void {
    this.#restarts.inc();
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

import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Decision } from '../core/decision.js';
import { HEALTH_CODES } from '../core/health.js';
import { RELEASE_OUTCOMES } from '../core/key-release-record.js';
import { flippedPolicies } from '../judge/early-flips.js';
import type { ReadinessUseCase } from '../judge/health.js';
import { policyReasons } from '../judge/policy-reasons.js';
import { shadowFlips } from '../judge/shadow-flips.js';
import type { SlotFigures, SlotLimits } from '../judge/verification-slots.js';
import type { FetchCount, OriginState } from '../outside/outages.js';
import { countedIn } from './counted-figures.js';

/** Resolution of the event loop measurement; measured values include it. */
const RESOLUTION_MS = 20;

/** Parts of every service that are reloaded; their metrics exist before the first fault. */
const RELOADED_PARTS = [
  'policies',
  'roots',
  'receipt keys',
  'callers and listen.tls',
  'amd.chains',
  'intel.collateral',
  'tpm.intermediates',
];

/** Measured stages of a request: the wait for a slot, and calls of a verification; `judge` includes the latter two. */
export type Stage = 'wait' | 'challenge' | 'endorsements' | 'judge' | 'sign' | 'record';

export interface AnsweredRequest {
  readonly method: string;
  /** Path of the route; null if there is none. */
  readonly route: string | null;
  readonly status: number;
  readonly seconds: number;
}

/** Age of fetched endorsements, and seconds until they expire. */
export interface FetchedFigures {
  readonly kind: string;
  readonly source: string;
  readonly ageSeconds: number;
  readonly expirySeconds: number;
}

/** Seconds until each object expires; negative if it has. */
export interface EndingFigures {
  readonly apiKeys: readonly { readonly caller: string; readonly key: 'current' | 'next'; readonly seconds: number }[];
  /** `file`: the configuration key of the file, once for each certificate in it. */
  readonly certificates: readonly { readonly file: string; readonly seconds: number }[];
  /** `key`: the configuration key of the folder, once for each CRL or set of collateral in a file. */
  readonly endorsements: readonly { readonly key: string; readonly file: string; readonly seconds: number }[];
  /** `waiver`: its index in the policy. */
  readonly waivers: readonly {
    readonly tenant: string;
    readonly policy: string;
    readonly waiver: number;
    readonly check: string;
    readonly seconds: number;
  }[];
}

type FigureValues = readonly (readonly [value: number, labels?: Readonly<Record<string, string | number>>])[];

/** A metric that is read at each scrape. */
interface WatchedFigure {
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
  readonly read: () => FigureValues | Promise<FigureValues>;
}

/** A metric with its name for dashboards and alerts. */
export interface DescribedMetric {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
}

/** States: 1 is good, 0 is bad. */
const STATES = {
  policies: [
    'veritee_policies_current',
    '1 if the policies of the files are in force; 0 if older ones are, because a file is wrong.',
  ],
  decisionStore: [
    'veritee_decision_store_available',
    '1 if decisions are stored; 0 if the store does not take them or is out of reach, and no allow leaves.',
  ],
  challengeStore: [
    'veritee_challenge_store_available',
    '1 if the store of challenges did what it was last asked; 0 if it did not or is out of reach, and none is issued or used up.',
  ],
} as const;

/**
 * Metrics of one service. Each service has its own registry, so that two services in a process do not add up. Metrics of
 * the process are read at each scrape: the library's default collectors would observe garbage collection for ever.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #eventLoop: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #counted = countedIn(this.#registry);

  constructor() {
    for (const part of RELOADED_PARTS) {
      this.#counted.failedReloads.inc({ part }, 0);
      this.reloaded(part);
    }
    this.#eventLoop.enable();
    this.#watchProcess();
  }

  /** Adds the version of the running build. */
  watchBuild(version: string): void {
    this.#watch(Gauge, {
      name: 'veritee_build_info',
      help: 'Always 1: the version of the service, and that of Node.js under it.',
      labelNames: ['version', 'node_version'],
      read: () => [[1, { version, node_version: process.version }]],
    });
  }

  /** Adds a gauge for each readiness problem. */
  watchReadiness(readiness: ReadinessUseCase): void {
    this.#watch(Gauge, {
      name: 'veritee_readiness_problem',
      help: '1 if the service is not ready because of this, as /readyz says; else 0.',
      labelNames: ['code'],
      read: async () => {
        const { problems } = await readiness.execute();
        return HEALTH_CODES.map((code) => [problems.some((problem) => problem.code === code) ? 1 : 0, { code }]);
      },
    });
  }

  /** Adds the queue of verifications. */
  watchVerifications(slots: () => SlotFigures): void {
    this.#watch(Gauge, {
      name: 'veritee_verifications',
      help: 'Verifications that have begun (running), those of them that do not wait for I/O (computing), and requests that wait for a slot (waiting).',
      labelNames: ['state'],
      read: () => statesOf(slots()),
    });
    this.#watch(Gauge, {
      name: 'veritee_verifications_limit',
      help: 'How many may run, compute and wait at once; further requests are refused with 503.',
      labelNames: ['state'],
      read: () => statesOf(slots().limits),
    });
  }

  /** Adds the results of attempts to reach origins. */
  watchFetches(fetches: () => readonly FetchCount[]): void {
    this.#watch(Counter, {
      name: 'veritee_fetches_total',
      help: 'Attempts to reach the origin, by how each ended: answered, refused, or the fault.',
      labelNames: ['host', 'outcome'],
      read: () => fetches().map(({ count, ...labels }) => [count, labels]),
    });
  }

  /** Adds the age of fetched endorsements, and the expiry of the first one. */
  watchFetched(fetched: () => Promise<readonly FetchedFigures[]>): void {
    const labelNames = ['kind', 'source'];
    this.#watch(Gauge, {
      name: 'veritee_fetched_endorsement_age_seconds',
      help: 'Seconds since the source last confirmed what is held of a kind; of the oldest.',
      labelNames,
      read: async () =>
        earliestOf(
          (await fetched()).map(({ kind, source, ageSeconds }) => ({ kind, source, seconds: -ageSeconds })),
        ).map(([seconds, labels]) => [-seconds, labels]),
    });
    this.#watch(Gauge, {
      name: 'veritee_fetched_endorsement_expiry_seconds',
      help: 'Seconds until the first of what is held of a kind, as fetched from a source, may not be used any more.',
      labelNames,
      read: async () =>
        earliestOf((await fetched()).map(({ kind, source, expirySeconds: seconds }) => ({ kind, source, seconds }))),
    });
  }

  /** Adds the current state of the origins that the service contacts. */
  watchOrigins(states: () => readonly OriginState[]): void {
    this.#watch(Gauge, {
      name: 'veritee_origin_reachable',
      help: '1 if the last attempt gave a usable answer, or none was made; 0 during an outage.',
      labelNames: ['host'],
      read: () => states().map(({ host, isReachable }) => [isReachable ? 1 : 0, { host }]),
    });
    this.#watch(Counter, {
      name: 'veritee_origin_failures_total',
      help: 'Attempts to reach the origin that failed.',
      labelNames: ['host'],
      read: () => states().map(({ host, failures }) => [failures, { host }]),
    });
  }

  /** Adds whether a state is good. */
  watchState(state: keyof typeof STATES, isGood: () => boolean): void {
    const [name, help] = STATES[state];
    this.#watch(Gauge, { name, help, read: () => [[isGood() ? 1 : 0]] });
  }

  /** Adds the number of failures of the vTPM reset memory. */
  watchResetMemory(failures: () => number): void {
    this.#watch(Counter, {
      name: 'veritee_tpm_reset_memory_failures_total',
      help: 'Reads and writes of the memory of vTPM resets that failed or took too long.',
      read: () => [[failures()]],
    });
  }

  /**
   * Adds the expiry of API keys, certificates of the listener, endorsements in folders and waivers, as configured at
   * the time of the scrape.
   */
  watchEndings(endings: () => EndingFigures): void {
    this.#watch(Gauge, {
      name: 'veritee_api_key_expiry_seconds',
      help: 'Seconds until an API key of a caller, or its successor, expires; negative if it has.',
      labelNames: ['caller', 'key'],
      read: () => endings().apiKeys.map(({ seconds, ...labels }) => [seconds, labels]),
    });
    this.#watch(Gauge, {
      name: 'veritee_certificate_expiry_seconds',
      help: 'Seconds until the first certificate of a file of listen.tls expires; negative if it has.',
      labelNames: ['file'],
      read: () => earliestOf(endings().certificates),
    });
    this.#watch(Gauge, {
      name: 'veritee_endorsement_expiry_seconds',
      help: 'Seconds until the first CRL or TDX collateral of a file in the folder of a key expires; negative if it has.',
      labelNames: ['key', 'file'],
      read: () => earliestOf(endings().endorsements),
    });
    this.#watch(Gauge, {
      name: 'veritee_waiver_expiry_seconds',
      help: 'Seconds until a waiver of a policy expires; negative if it has.',
      labelNames: ['tenant', 'policy', 'waiver', 'check'],
      read: () => endings().waivers.map(({ seconds, ...labels }) => [seconds, labels]),
    });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  requestAnswered(request: AnsweredRequest): void {
    const { method, route, status, seconds } = request;
    this.#counted.requests.observe({ method, route: route ?? 'none', status }, seconds);
  }

  /** @param tenant the tenant of the policies */
  decided(decision: Decision, tenant: string): void {
    this.#counted.decisions.inc({
      outcome: decision.decision,
      reason: decision.reasons[0] ?? 'none',
      evidence_type: decision.evidence.type,
    });
    for (const { policy, outcome, reason } of policyReasons(decision)) {
      this.#counted.policyDecisions.inc({ tenant, policy, outcome, reason: reason ?? 'none' });
    }
    for (const { kind, source } of decision.endorsements) this.#counted.usedEndorsements.inc({ kind, source });
    for (const check of decision.checks) {
      if (check.result === 'fail') this.#counted.failedChecks.inc({ check: check.id });
    }
    // Ids of policies come from the operator: a caller cannot make up labels.
    for (const policy of flippedPolicies(decision)) this.#counted.earlyFlips.inc({ tenant, policy });
    for (const { policy, outcome, ids } of shadowFlips(decision)) {
      for (const rule of ids) this.#counted.shadowFlips.inc({ tenant, policy, outcome, rule });
    }
  }

  /** Shows zero for each key before the first request for it: otherwise the first increase would be lost. */
  keysOpened(keys: Iterable<string>): void {
    for (const key of keys) {
      for (const state of ['not_attempted', ...RELEASE_OUTCOMES]) this.#counted.keyReleases.inc({ key, state }, 0);
    }
  }

  /** @param key from the configuration: callers cannot make up labels */
  keyAsked(key: string, state: string): void {
    this.#counted.keyReleases.inc({ key, state });
  }

  /** @param gate null: not a configured gate. @param code null: the gate let the request through */
  gateAnswered({ gate, code }: { readonly gate: string | null; readonly code: string | null }): void {
    this.#counted.gateAnswers.inc({ gate: gate ?? 'none', outcome: code ?? 'allow' });
  }

  recordDropped(): void {
    this.#counted.droppedRecords.inc();
  }

  policyReloadFailed(): void {
    this.#counted.failedPolicyReloads.inc();
    this.reloadFailed('policies');
  }

  /** @param part the name under `keptAsBefore` in the log */
  reloadFailed(part: string): void {
    this.#counted.failedReloads.inc({ part });
    this.#counted.reloadTimes.set({ part }, Date.now() / 1000);
    this.#counted.reloadResults.set({ part }, 0);
  }

  /** @param part the name under `reread` in the log */
  reloaded(part: string): void {
    this.#counted.reloadTimes.set({ part }, Date.now() / 1000);
    this.#counted.reloadResults.set({ part }, 1);
  }

  stageDone(stage: Stage, seconds: number): void {
    this.#counted.stages.observe({ stage }, seconds);
  }

  /** The metrics in the text format of Prometheus. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** Every metric, in the order of `text`. */
  described(): readonly DescribedMetric[] {
    // The library knows the labels of each metric, but its type omits them.
    const known = this.#registry.getMetricsAsArray() as unknown as readonly Named[];
    return known.map((metric) => ({
      name: metric.name,
      type: metric instanceof Histogram ? 'histogram' : metric instanceof Gauge ? 'gauge' : 'counter',
      labels: metric.labelNames,
    }));
  }

  /** Ends the measurement of the event loop. */
  close(): void {
    this.#eventLoop.disable();
    this.#registry.clear();
  }

  #watch(Kind: typeof Gauge | typeof Counter, { read, labelNames = [], ...named }: WatchedFigure): void {
    new Kind({
      ...named,
      labelNames,
      registers: [this.#registry],
      async collect(): Promise<void> {
        // No await between reset and the last value: two concurrent scrapes would add their values up.
        const values = await read();
        this.reset();
        for (const [value, labels = {}] of values) this.inc(labels, value);
      },
    });
  }

  /** Uses the names that dashboards for Node.js expect. */
  #watchProcess(): void {
    const eventLoop = this.#eventLoop;
    const gauge = (name: string, help: string, read: () => number) =>
      this.#watch(Gauge, { name, help, read: () => [[read()]] });
    const startedAt = Date.now() / 1000 - process.uptime();
    gauge('process_start_time_seconds', 'Start of the process, seconds since 1970.', () => startedAt);
    this.#watch(Counter, {
      name: 'process_cpu_seconds_total',
      help: 'User and system CPU time.',
      read: () => [[cpuSeconds()]],
    });
    gauge('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss());
    gauge('nodejs_heap_size_used_bytes', 'Used heap.', () => process.memoryUsage().heapUsed);
    gauge('nodejs_eventloop_lag_p50_seconds', 'Median delay of the event loop.', () => delaySeconds(eventLoop, 50));
    // The last read metric of a scrape starts the next interval.
    gauge('nodejs_eventloop_lag_p99_seconds', '99th percentile of the delay of the event loop.', () => {
      const seconds = delaySeconds(eventLoop, 99);
      eventLoop.reset();
      return seconds;
    });
  }
}

interface Named {
  readonly name: string;
  readonly labelNames: readonly string[];
}

/** Of several metrics with the same labels, the earliest expiry. */
function earliestOf<F extends { readonly seconds: number }>(figures: readonly F[]) {
  const first = new Map<string, readonly [seconds: number, labels: Omit<F, 'seconds'>]>();
  for (const { seconds, ...labels } of figures) {
    const name = JSON.stringify(labels);
    first.set(name, [Math.min(seconds, first.get(name)?.[0] ?? seconds), labels]);
  }
  return [...first.values()];
}

function statesOf({ running, computing, waiting }: SlotLimits): FigureValues {
  return [
    [running, { state: 'running' }],
    [computing, { state: 'computing' }],
    [waiting, { state: 'waiting' }],
  ];
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function delaySeconds(histogram: IntervalHistogram, percentile: number): number {
  return Math.max(0, histogram.percentile(percentile) / 1e9 - RESOLUTION_MS / 1e3);
}

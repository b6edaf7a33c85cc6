import type { ConnectionOptions } from 'node:tls';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';
import { ConfigurationError } from '../../core/errors.js';
import type { Log } from '../../core/ports.js';
import type { PartOutcome } from '../../core/reload.js';
import { type RequestTracer, SPAN_ATTRIBUTES } from '../../core/traces.js';
import type { ReadBytes } from '../../files/whole-files.js';
import { underBound, unlessAborted } from '../../outside/bounded-signal.js';
import type { EgressProxy } from '../../outside/egress-proxy.js';
import type { OriginObserver } from '../../outside/outages.js';
import { CollectorExporter, withoutLibraryVariables } from './collector-exporter.js';
import { type CollectorHeaders, readCollectorHeaders } from './collector-headers.js';
import { OpenTelemetryTracer } from './otel-tracer.js';
import { ServiceResource } from './service-resource.js';

/** The configuration of traces, and the version of the product. */
export interface TracingOptions {
  /** URL for spans; without a path, `/v1/traces` (OTLP over HTTP). */
  readonly endpoint: string;
  /** Null: no headers besides those of OTLP. */
  readonly headersFile: string | null;
  /** The share of traced requests, 0 to 1. */
  readonly sample: number;
  readonly trustParent: boolean;
  readonly version: string;
}

/** Milliseconds. */
export interface TracePace {
  /** How long spans are collected before a batch is sent. */
  readonly delayMs: number;
  /** Longest time of a batch. */
  readonly exportMs: number;
  /** How long a stop waits for unsent spans. */
  readonly flushMs: number;
}

const DEFAULT_PACE: TracePace = { delayMs: 5_000, exportMs: 5_000, flushMs: 2_000 };

/** Spans beyond the queue are dropped: an unreachable collector costs at most some megabytes. */
const QUEUE = { maxQueueSize: 2_048, maxExportBatchSize: 256 };

const SPAN_LIMITS = {
  attributeCountLimit: SPAN_ATTRIBUTES.length,
  attributeValueLengthLimit: 128,
  // Spans have no events.
  eventCountLimit: 0,
  linkCountLimit: 0,
};

/** Name of this part in reloads. */
const HEADERS = 'headers of traces';

const OTLP_PATH = '/v1/traces';

export interface CollectorOptions {
  readonly log: Log;
  /** How the file of headers is read; defaults to the disk. */
  readonly readBytes?: ReadBytes | undefined;
  /** Called with the result of each attempt to reach the collector. */
  readonly observer: OriginObserver;
  /** For tests, like the next member. */
  readonly ca?: ConnectionOptions['ca'];
  /** The proxy to the collector; undefined: the connection is direct. */
  readonly proxy?: EgressProxy | undefined;
  readonly pace?: Partial<TracePace> | undefined;
}

/** Traces of requests, sent to a collector. */
export interface OpenTracing {
  readonly tracer: RequestTracer;
  /** Reads the file of headers again, if there is one. Never rejects: faults are logged. */
  reload(): Promise<readonly PartOutcome[]>;
  /** Sends the remaining spans, in bounded time. Never rejects. */
  close(): Promise<void>;
}

/**
 * Opens tracing. Contacts no server: the first spans contact the collector.
 * @throws {ConfigurationError} if the file of headers is invalid
 */
export async function openTracing(options: TracingOptions, collector: CollectorOptions): Promise<OpenTracing> {
  const { headersFile } = options;
  let headers = headersFile === null ? {} : await readCollectorHeaders(headersFile, collector.readBytes);
  const { provider, exporter, flushMs } = openProvider(options, collector, () => headers);
  return {
    tracer: new OpenTelemetryTracer(provider.getTracer('veritee', options.version), options),
    reload: async () => {
      if (headersFile === null) return [];
      const read = await headersOrNull(headersFile, collector);
      headers = read ?? headers;
      return [{ name: HEADERS, isTaken: read !== null }];
    },
    close: async () => {
      const flushed = provider.shutdown().catch(() => {});
      await underBound(new AbortController().signal, flushMs, (signal) => unlessAborted(flushed, signal, () => {}));
      exporter.close();
    },
  };
}

function openProvider(
  { endpoint, sample, version }: TracingOptions,
  { observer, ca, proxy, pace }: CollectorOptions,
  headers: () => CollectorHeaders,
) {
  const { delayMs, exportMs, flushMs } = { ...DEFAULT_PACE, ...pace };
  const exporter = new CollectorExporter({ url: postedTo(endpoint), headers, exportMs, observer, ca, proxy });
  const provider = withoutLibraryVariables(() => {
    // The exporter ends each batch itself, so this timeout never fires first.
    const times = { scheduledDelayMillis: delayMs, exportTimeoutMillis: 2 * exportMs };
    return new BasicTracerProvider({
      resource: new ServiceResource({ 'service.name': 'veritee', 'service.version': version }),
      // A parent exists only if it is trusted: then it decides.
      sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sample) }),
      spanLimits: SPAN_LIMITS,
      spanProcessors: [new BatchSpanProcessor(exporter, { ...QUEUE, ...times })],
    });
  });
  return { provider, exporter, flushMs };
}

function postedTo(endpoint: string): URL {
  const url = new URL(endpoint);
  return url.pathname === '/' ? new URL(OTLP_PATH, url) : url;
}

async function headersOrNull(file: string, { log, readBytes }: CollectorOptions): Promise<CollectorHeaders | null> {
  try {
    return await readCollectorHeaders(file, readBytes);
  } catch (error) {
    const fields = error instanceof ConfigurationError ? { problems: error.problems } : { err: error };
    log.error(fields, 'headers of traces not reloaded: the previous ones stay in force');
    return null;
  }
}

import type { Configuration } from '../config/configuration.js';
import type { PartOutcome } from '../core/reload.js';
import type { RequestTracer } from '../core/traces.js';
import { type OriginObserver, Outages } from '../outside/outages.js';
import { Metrics } from '../telemetry/metrics.js';
import type { TracePace } from '../telemetry/traces/open-tracing.js';
import type { EndorsementOptions } from './endorsements.js';
import type { OpenParts } from './open-parts.js';
import { productVersion } from './system.js';

export interface TelemetryOptions extends Pick<EndorsementOptions, 'clock' | 'readBytes' | 'log' | 'connect'> {
  /** Timing of the span export, for tests. */
  readonly tracePace?: Partial<TracePace>;
}

export interface TracesOptions extends Omit<TelemetryOptions, 'clock'> {
  readonly observer: OriginObserver;
  readonly version: string;
}

export interface OpenTraces {
  /** Null: no request is traced. */
  readonly tracer: RequestTracer | null;
  /** Observer of every outbound request. */
  readonly observer: OriginObserver;
  reload(): Promise<readonly PartOutcome[]>;
  close(): Promise<void>;
}

/** Metrics, traces and the reported version. @throws {ConfigurationError} if the file of headers is wrong */
export async function openTelemetry(configuration: Configuration, options: TelemetryOptions, opened: OpenParts) {
  const metrics = opened.add(new Metrics());
  const outages = new Outages(options.clock, options.log);
  metrics.watchOrigins(() => outages.states);
  metrics.watchFetches(() => outages.fetches);
  const version = await productVersion();
  const tracing = opened.add(await openTraces(configuration, { ...options, observer: outages, version }));
  return { metrics, tracing, version };
}

/** @throws {ConfigurationError} if the file of headers is wrong */
export async function openTraces(
  { traces }: Configuration,
  { log, readBytes, observer, connect, version, tracePace: pace }: TracesOptions,
): Promise<OpenTraces> {
  if (traces === null) return { tracer: null, observer, reload: async () => [], close: async () => {} };
  // Loaded here, so a service without traces does not load these modules.
  const [{ openTracing }, { tracedOrigins }] = await Promise.all([
    import('../telemetry/traces/open-tracing.js'),
    import('../telemetry/traces/traced-origins.js'),
  ]);
  const ca = connect !== undefined && 'ca' in connect ? connect.ca : undefined;
  const opened = await openTracing(
    { ...traces, version },
    { log, readBytes, observer, ca, proxy: connect?.proxy, pace },
  );
  return { ...opened, observer: tracedOrigins(observer, opened.tracer) };
}

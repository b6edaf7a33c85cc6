import type { Configuration } from '../config/configuration.js';
import type { PartOutcome } from '../core/reload.js';
import type { RequestTracer } from '../core/traces.js';
import type { OriginObserver } from '../outside/outages.js';
import type { TracePace } from '../telemetry/traces/open-tracing.js';
import type { EndorsementWorld } from './endorsements.js';

/** The dependencies of traces. */
export interface TracesWorld extends Pick<EndorsementWorld, 'readBytes' | 'log' | 'connect'> {
  readonly observer: OriginObserver;
  readonly version: string;
  readonly tracePace?: Partial<TracePace>;
}

/** Traces as the configuration asks for them. */
export interface OpenTraces {
  /** Null: no request is traced. */
  readonly tracer: RequestTracer | null;
  /** Observer of every outbound request. */
  readonly observer: OriginObserver;
  reload(): Promise<readonly PartOutcome[]>;
  close(): Promise<void>;
}

/** @throws {ConfigurationError} where the file of headers is wrong */
export async function openTraces(
  { traces }: Configuration,
  { log, readBytes, observer, connect, version, tracePace: pace }: TracesWorld,
): Promise<OpenTraces> {
  if (traces === null) return { tracer: null, observer, reload: async () => [], close: async () => {} };
  // Loaded where it is used: nothing of it costs anybody else a thing.
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

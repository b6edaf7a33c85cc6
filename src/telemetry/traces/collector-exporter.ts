import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { EgressProxy } from '../../outside/egress-proxy.js';
import { FetchError } from '../../outside/fetch-error.js';
import type { OriginObserver } from '../../outside/outages.js';
import type { CollectorHeaders } from './collector-headers.js';

export interface CollectorOptions {
  /** The URL for spans. */
  readonly url: URL;
  /** The current headers: each attempt reads them again. */
  readonly headers: () => CollectorHeaders;
  /** Longest time of one batch, including retries. */
  readonly exportMs: number;
  readonly observer: OriginObserver;
  /** For tests: in production, `NODE_EXTRA_CA_CERTS` adds roots. */
  readonly ca?: ConnectionOptions['ca'];
  /** The proxy for outgoing connections; undefined: there is none. */
  readonly proxy?: EgressProxy | undefined;
}

const HTTPS_PORT = 443;

type Done = (result: ExportResult) => void;

/**
 * Sends spans to the collector as OTLP over HTTP, in JSON, with OpenTelemetry's exporter. Adds a total timeout: the exporter
 * only limits silence, so that an answer of one byte a second would never end. It follows no redirect, and reads
 * no environment variable.
 */
export class CollectorExporter implements SpanExporter {
  readonly #options: CollectorOptions;
  readonly #agent: HttpAgent;
  readonly #exporter: OTLPTraceExporter;
  /** Aborts each batch that is being sent. */
  readonly #sending = new Map<Done, Promise<void>>();
  #closed = false;

  constructor(options: CollectorOptions) {
    const { url, exportMs, observer } = options;
    this.#options = options;
    observer.register(url.origin);
    // Connections have no bound except the number of batches in the queue. If a request waiting for a connection were
    // aborted, the agent would still open one for it.
    this.#agent = agentFor(options);
    this.#exporter = withoutLibraryVariables(
      () =>
        new OTLPTraceExporter({
          url: url.href,
          headers: async () => this.#headers(),
          timeoutMillis: exportMs,
          httpAgentOptions: () => this.#agent,
        }),
    );
  }

  /** Calls `done` once: after success, failure or timeout. */
  export(spans: ReadableSpan[], done: Done): void {
    let ended = () => {};
    const sent = new Promise<void>((resolve) => {
      ended = resolve;
    });
    const end: Done = (result) => {
      if (!this.#sending.delete(end)) return;
      clearTimeout(timer);
      this.#tell(result);
      ended();
      done(result);
    };
    this.#sending.set(end, sent);
    const timer = setTimeout(() => {
      end(failed(new FetchError('timeout', 'took no spans in time')));
      this.#endConnections();
    }, this.#options.exportMs);
    this.#exporter.export(spans, end);
  }

  /** Waits for running batches, each of which has a timeout. */
  async forceFlush(): Promise<void> {
    await Promise.all(this.#sending.values());
  }

  shutdown(): Promise<void> {
    return this.forceFlush();
  }

  /** Aborts running batches, and sends nothing more. */
  close(): void {
    this.#closed = true;
    for (const end of [...this.#sending.keys()]) end(failed(new FetchError('aborted', 'the service stops')));
    this.#endConnections();
  }

  /** Runs before each attempt, so that the exporter's own retries end with the service. */
  #headers(): Record<string, string> {
    if (this.#closed) throw new FetchError('aborted', 'the service stops');
    return { ...this.#options.headers() };
  }

  #endConnections(): void {
    this.#agent.destroy();
  }

  /** Logs an outage once when it begins, and once when it ends. */
  #tell({ code, error }: ExportResult): void {
    const { observer, url } = this.#options;
    if (code === ExportResultCode.SUCCESS) observer.answered(url.origin);
    else observer.failed(url.origin, exportFault(error));
  }
}

/** Without https the collector is on this machine, so no proxy is used. */
function agentFor({ url, exportMs, ca, proxy }: CollectorOptions): HttpAgent {
  const keepAlive = true;
  if (url.protocol !== 'https:') return new HttpAgent({ keepAlive });
  const agent = new HttpsAgent({ keepAlive, ca });
  if (proxy?.carries(url.hostname) !== true) return agent;
  const farEnd = { hostname: url.hostname, port: Number(url.port || HTTPS_PORT), isTls: true };
  return Object.assign(agent, {
    createConnection: (_options: unknown, done: (error: Error | null, socket?: Socket) => void) => {
      proxy.connect(farEnd, { ca }, exportMs).then((socket) => done(null, socket), done);
    },
  });
}

function failed(error: FetchError): ExportResult {
  return { code: ExportResultCode.FAILED, error };
}

/** Converts an error without the texts of the collector. */
function exportFault(error: Error | undefined): FetchError {
  if (error instanceof FetchError) return error;
  if (error?.name !== 'OTLPExporterError') {
    return new FetchError('network', 'no connection or no complete answer', { cause: error });
  }
  // The exporter does not report which of 429, 502, 503 and 504 ended its retries.
  const status = 'code' in error && typeof error.code === 'number' ? error.code : null;
  if (status === null) return new FetchError('status', 'takes no spans now (429, 502, 503 or 504)');
  const isRedirect = status >= 300 && status < 400;
  return isRedirect
    ? new FetchError('redirect', 'answered with a redirect', { status })
    : new FetchError('status', `answered with status ${status}`, { status });
}

/**
 * Creates an object of the library, which otherwise reads headers, client certificates and limits from the environment. Only
 * variables of veritee count (docs/configuration.md). No other code runs meanwhile.
 */
export function withoutLibraryVariables<T>(make: () => T): T {
  const hidden = Object.entries(process.env).filter(([name]) => name.startsWith('OTEL_'));
  for (const [name] of hidden) delete process.env[name];
  try {
    return make();
  } finally {
    Object.assign(process.env, Object.fromEntries(hidden));
  }
}

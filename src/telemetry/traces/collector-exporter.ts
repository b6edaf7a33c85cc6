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
  /** Where spans are posted. */
  readonly url: URL;
  /** Those of the moment: each attempt asks for them anew. */
  readonly headers: () => CollectorHeaders;
  /** Longest time of one batch, with all attempts to send it. */
  readonly exportMs: number;
  readonly observer: OriginObserver;
  /** For tests: further roots of a process come from `NODE_EXTRA_CA_CERTS`. */
  readonly ca?: ConnectionOptions['ca'];
  /** The proxy for outgoing connections; undefined: there is none. */
  readonly proxy?: EgressProxy | undefined;
}

const HTTPS_PORT = 443;

type Done = (result: ExportResult) => void;

/**
 * Sends spans to the collector as OTLP over HTTP, in JSON, by OpenTelemetry's exporter. What that leaves open is bounded here: its
 * time-out is one of silence, so that an answer of one byte a second would never end. It follows no redirect, and reads
 * no variable of the environment.
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
    // No bound on connections, of which there are as many as batches in the queue: a request that waits for one would get a new one
    // from the agent when that is ended.
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

  /** Tells `done` once: when they were sent, failed, or their time is over. */
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

  /** Waits for what is being sent: each batch has its time. */
  async forceFlush(): Promise<void> {
    await Promise.all(this.#sending.values());
  }

  shutdown(): Promise<void> {
    return this.forceFlush();
  }

  /** Gives up what is being sent, and sends nothing any more. */
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

  /** An outage is in the log once, when it begins, and once when it ends. */
  #tell({ code, error }: ExportResult): void {
    const { observer, url } = this.#options;
    if (code === ExportResultCode.SUCCESS) observer.answered(url.origin);
    else observer.failed(url.origin, exportFault(error));
  }
}

/** Without https the collector is on this machine, which no proxy leads to. */
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

/** Texts of the collector are not taken along. */
function exportFault(error: Error | undefined): FetchError {
  if (error instanceof FetchError) return error;
  if (error?.name !== 'OTLPExporterError') {
    return new FetchError('network', 'no connection or no complete answer', { cause: error });
  }
  // The exporter does not say which of 429, 502, 503 and 504 it was that it gave up on.
  const status = 'code' in error && typeof error.code === 'number' ? error.code : null;
  if (status === null) return new FetchError('status', 'takes no spans now (429, 502, 503 or 504)');
  const isRedirect = status >= 300 && status < 400;
  return isRedirect
    ? new FetchError('redirect', 'answered with a redirect', { status })
    : new FetchError('status', `answered with status ${status}`, { status });
}

/**
 * Makes something of the library, which adds what variables say to what it is given: headers, client certificates, limits. Only
 * variables of veritee count (docs/configuration.md). Nothing else runs meanwhile.
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

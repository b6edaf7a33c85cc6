/**
 * Spans of a request, for code that runs its steps. Only `telemetry/traces` creates and exports
 * them.
 */

/** Steps of a request, which are also the names of spans: never a text of a request. docs/tracing.md lists them. */
export const STEPS = [
  'read body',
  'identify caller',
  'check nonce',
  'fetch endorsements',
  'verify evidence',
  'verify tokens',
  'submit evidence',
  'appraise',
  'sign receipt',
  'store decision',
  'store release',
  'release key',
  'outgoing exchange',
] as const;
export type Step = (typeof STEPS)[number];

/**
 * All attributes of spans: names of OpenTelemetry's conventions if there is one. None contains a byte of evidence, a token, a nonce, a
 * key or a header, except the plain request id. docs/tracing.md lists them.
 */
export const SPAN_ATTRIBUTES = [
  'error.type',
  'http.request.method',
  'http.response.status_code',
  'http.route',
  'server.address',
  'server.port',
  'veritee.decision',
  'veritee.decision_id',
  'veritee.endorsements',
  'veritee.evidence_type',
  'veritee.policies',
  'veritee.reasons',
  'veritee.request_id',
  'veritee.token_route',
] as const;

export type SpanAttributes = {
  readonly [name in (typeof SPAN_ATTRIBUTES)[number]]?: string | number | readonly string[];
};

export interface Span {
  set(attributes: SpanAttributes): void;
  /** Marks the span as failed. @param type a code, not a message */
  fail(type: string): void;
}

/** Makes spans for the work of a request. */
export interface Tracer {
  /** Runs a step. Without a traced request, it only runs the work. */
  span<T>(step: Step, work: (span: Span) => Promise<T>): Promise<T>;
}

/** The span of a whole request, the parent of its steps. */
export interface RequestSpan extends Span {
  /** 16 bytes in hex. */
  readonly traceId: string;
  /** Runs the work of the request: steps in it belong to the request. */
  within<T>(work: () => T): T;
  /** Begins a step that ends with an event. @returns a function that ends it */
  begin(step: Step): () => void;
  end(): void;
}

/** Begins the traces of requests. */
export interface RequestTracer extends Tracer {
  /**
   * Returns null if the request is not sampled.
   * @param name name of the span: method and route
   * @param traceparent header of the request (W3C Trace Context)
   */
  request(name: string, traceparent: string | undefined): RequestSpan | null;
}

const NO_SPAN: Span = { set: () => {}, fail: () => {} };

/** The tracer if nothing is traced. */
export const NO_TRACER: Tracer = { span: (_step, work) => work(NO_SPAN) };

/**
 * Spans of a request, as whoever makes a step of it names them. Nobody but `telemetry/traces` knows how they are made and where
 * they go.
 */

/** Steps of a request. Names of spans are these, and never a text of a request. docs/tracing.md lists them. */
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
 * All that a span may say: names of OpenTelemetry's conventions where there is one. None holds a byte of evidence, a token, a nonce, a
 * key or a header, but for the plain request id. docs/tracing.md lists them.
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
  /** Marks what it is of as failed. @param type a code, and no message */
  fail(type: string): void;
}

/** Makes spans of what is done for a request. */
export interface Tracer {
  /** Does a step. Where no request is traced, it does that and nothing else. */
  span<T>(step: Step, work: (span: Span) => Promise<T>): Promise<T>;
}

/** The span of a whole request, under which those of its steps stand. */
export interface RequestSpan extends Span {
  /** 16 bytes in hex. */
  readonly traceId: string;
  /** Runs what is done for the request: steps in it are steps of the request. */
  within<T>(work: () => T): T;
  /** Begins a step whose end is known by an event. @returns ends it */
  begin(step: Step): () => void;
  end(): void;
}

/** Begins the traces of requests. */
export interface RequestTracer extends Tracer {
  /**
   * Null where the request is not one of the sample.
   * @param name of the span: method and route
   * @param traceparent header of the request (W3C Trace Context)
   */
  request(name: string, traceparent: string | undefined): RequestSpan | null;
}

const NO_SPAN: Span = { set: () => {}, fail: () => {} };

/** The tracer if nothing is traced. */
export const NO_TRACER: Tracer = { span: (_step, work) => work(NO_SPAN) };

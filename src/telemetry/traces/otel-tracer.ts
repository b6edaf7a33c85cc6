import {
  type Attributes,
  type Context,
  createContextKey,
  type Span as OtelSpan,
  type Tracer as OtelTracer,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { parseTraceParent } from '@opentelemetry/core';
import { FormatError, RefusedError } from '../../core/errors.js';
import {
  NO_TRACER,
  type RequestSpan,
  type RequestTracer,
  type Span,
  type SpanAttributes,
  type Step,
} from '../../core/traces.js';
import { FetchError } from '../../outside/fetch-error.js';

/** Most spans of one request. Further steps are not recorded. */
export const MOST_SPANS = 512;
/** Most items of one list. */
export const MOST_ITEMS = 16;

/** OpenTelemetry's name for an unknown error type. */
const OTHER_ERROR = '_OTHER';

/** The state that the spans of one request share. */
interface Recording {
  left: number;
  ended: boolean;
}

const RECORDING = createContextKey('veritee recording');

/**
 * Makes spans with OpenTelemetry. Registers nothing globally: two services in one process share nothing, and no library can
 * add spans of its own.
 */
export class OpenTelemetryTracer implements RequestTracer {
  readonly #tracer: OtelTracer;
  readonly #trustParent: boolean;
  readonly #contexts = new AsyncLocalStorageContextManager();

  /** @param trustParent whether the client decides about ids and sampling: an untrusted client could have everything recorded */
  constructor(tracer: OtelTracer, { trustParent }: { readonly trustParent: boolean }) {
    this.#tracer = tracer;
    this.#trustParent = trustParent;
  }

  request(name: string, traceparent: string | undefined): RequestSpan | null {
    const span = this.#tracer.startSpan(name, { kind: SpanKind.SERVER }, this.#parentOf(traceparent));
    if (!span.isRecording()) return null;
    const recording: Recording = { left: MOST_SPANS - 1, ended: false };
    const context = trace.setSpan(ROOT_CONTEXT.setValue(RECORDING, recording), span);
    return new SampledRequest(span, {
      within: (work) => this.#contexts.with(context, work),
      begin: (step) => this.#begin(step, context),
      end: () => {
        recording.ended = true;
      },
    });
  }

  /** Throws synchronously if the work does, as without a span: callers may rely on this. */
  span<T>(step: Step, work: (span: Span) => Promise<T>): Promise<T> {
    const around = this.#contexts.active();
    const begun = this.#begin(step, around);
    if (begun === null) return NO_TRACER.span(step, work);
    const span = new RecordedSpan(begun);
    try {
      return span.endWith(this.#contexts.with(trace.setSpan(around, begun), () => work(span)));
    } catch (error) {
      span.endFailed(error);
      throw error;
    }
  }

  /**
   * Returns null if nothing is recorded: the request is not traced, its spans are used up, or it was answered. Work that continues
   * then, such as a shared renewal, may never end.
   */
  #begin(step: Step, around: Context): OtelSpan | null {
    const recording = around.getValue(RECORDING) as Recording | undefined;
    if (recording === undefined || recording.ended || recording.left === 0) return null;
    recording.left -= 1;
    const kind = step === 'outgoing exchange' ? SpanKind.CLIENT : SpanKind.INTERNAL;
    return this.#tracer.startSpan(step, { kind }, around);
  }

  /** Reads `traceparent` of W3C Trace Context. `tracestate` is ignored: it is foreign text, which would be passed on. */
  #parentOf(traceparent: string | undefined): Context {
    const parent = this.#trustParent && traceparent !== undefined ? parseTraceParent(traceparent) : null;
    return parent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, { ...parent, isRemote: true });
  }
}

class RecordedSpan implements Span {
  protected readonly recorded: OtelSpan;

  constructor(recorded: OtelSpan) {
    this.recorded = recorded;
  }

  set(attributes: SpanAttributes): void {
    this.recorded.setAttributes(bounded(attributes));
  }

  /** Marks a failure without the error message, which may contain anything. */
  fail(type: string): void {
    this.set({ 'error.type': type });
    this.recorded.setStatus({ code: SpanStatusCode.ERROR });
  }

  endFailed(error: unknown): void {
    this.fail(errorType(error));
    this.recorded.end();
  }

  async endWith<T>(work: Promise<T>): Promise<T> {
    try {
      const result = await work;
      this.recorded.end();
      return result;
    } catch (error) {
      this.endFailed(error);
      throw error;
    }
  }
}

interface Within {
  within<T>(work: () => T): T;
  begin(step: Step): OtelSpan | null;
  end(): void;
}

class SampledRequest extends RecordedSpan implements RequestSpan {
  readonly #within: Within;

  constructor(recorded: OtelSpan, within: Within) {
    super(recorded);
    this.#within = within;
  }

  get traceId(): string {
    return this.recorded.spanContext().traceId;
  }

  within<T>(work: () => T): T {
    return this.#within.within(work);
  }

  begin(step: Step): () => void {
    const begun = this.#within.begin(step);
    return () => begun?.end();
  }

  end(): void {
    this.#within.end();
    this.recorded.end();
  }
}

/** The limits of the tracer cut long texts. */
function bounded(attributes: SpanAttributes): Attributes {
  const entries = Object.entries(attributes).map(([name, value]): [string, string | number | string[]] => [
    name,
    typeof value === 'object' ? value.slice(0, MOST_ITEMS) : value,
  ]);
  return Object.fromEntries(entries);
}

/** The code of an error of this service. The names of other errors are unknown. */
function errorType(error: unknown): string {
  if (error instanceof FormatError || error instanceof RefusedError) return error.code;
  return error instanceof FetchError ? error.fault : OTHER_ERROR;
}

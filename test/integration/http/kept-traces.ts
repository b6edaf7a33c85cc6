import type { RequestSpan, RequestTracer, Span, SpanAttributes, Step } from '../../../src/core/traces.js';

/** A span of a test. */
export interface KeptSpan {
  readonly name: string;
  attributes: SpanAttributes;
  failed: string | null;
  ended: boolean;
}

/** Keeps spans, of every request. */
export class KeptTraces implements RequestTracer {
  readonly spans: KeptSpan[] = [];
  /** The `traceparent` that was sent, by request. */
  readonly parents: (string | undefined)[] = [];
  /** Whether requests are part of the sample. */
  sampled = true;

  get names(): readonly string[] {
    return this.spans.map(({ name }) => name);
  }

  request(name: string, traceparent: string | undefined): RequestSpan | null {
    this.parents.push(traceparent);
    if (!this.sampled) return null;
    const { kept, span } = this.#keep(name);
    return {
      ...span,
      traceId: '0af7651916cd43dd8448eb211c80319c',
      within: (work) => work(),
      begin: (step) => {
        const begun = this.#keep(step);
        return () => {
          begun.kept.ended = true;
        };
      },
      end: () => {
        kept.ended = true;
      },
    };
  }

  async span<T>(step: Step, work: (span: Span) => Promise<T>): Promise<T> {
    const { kept, span } = this.#keep(step);
    try {
      return await work(span);
    } finally {
      kept.ended = true;
    }
  }

  #keep(name: string): { readonly kept: KeptSpan; readonly span: Span } {
    const kept: KeptSpan = { name, attributes: {}, failed: null, ended: false };
    this.spans.push(kept);
    const span: Span = {
      set: (attributes) => {
        kept.attributes = { ...kept.attributes, ...attributes };
      },
      fail: (type) => {
        kept.failed = type;
      },
    };
    return { kept, span };
  }
}

import { jsonAnswer, type LabAnswer, type LabRequest, LabServer, type LabServerOptions } from './lab-server.js';

type AttributeValue = string | number | readonly string[];

/** A span as the collector got it. */
export interface CollectedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Null of a span that begins a trace. */
  readonly parentSpanId: string | null;
  /** 1 internal, 2 server, 3 client. */
  readonly kind: number;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  /** Whether its status is that of an error. */
  readonly failed: boolean;
  readonly traceState: string | null;
}

interface OtlpValue {
  readonly stringValue?: string;
  readonly intValue?: number;
  readonly arrayValue?: { readonly values: readonly OtlpValue[] };
}

interface OtlpAttribute {
  readonly key: string;
  readonly value: OtlpValue;
}

interface OtlpSpan extends Pick<CollectedSpan, 'name' | 'traceId' | 'spanId' | 'kind'> {
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly attributes: readonly OtlpAttribute[];
  readonly status: { readonly code: number; readonly message?: string };
  readonly events: readonly unknown[];
  readonly links: readonly unknown[];
}

interface OtlpTraces {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly OtlpAttribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}

const ERROR = 2;

/** A collector of OpenTelemetry on loopback: takes spans as OTLP over HTTP in JSON. */
export class LabCollector extends LabServer {
  private constructor(options: LabServerOptions, scheme: 'https' | 'http') {
    super(options, scheme);
  }

  static async start(options: LabServerOptions = {}, scheme: 'https' | 'http' = 'http'): Promise<LabCollector> {
    const collector = new LabCollector(options, scheme);
    await collector.listen();
    return collector;
  }

  /** The posted text. */
  get text(): string {
    return this.received.map(({ url, headers, body }) => `${url} ${JSON.stringify(headers)} ${body}`).join('\n');
  }

  /** Every span so far, in the order in which they came in. */
  get spans(): readonly CollectedSpan[] {
    return this.#posted.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans.map(spanOf)));
  }

  /** Attributes of each resource. */
  get resources(): readonly object[] {
    return this.#posted.map(({ resource }) => attributesOf(resource.attributes));
  }

  get #posted(): OtlpTraces['resourceSpans'] {
    const posts = this.received.filter(({ url }) => url === '/v1/traces');
    return posts.flatMap(({ body }) => (JSON.parse(body) as OtlpTraces).resourceSpans);
  }

  protected override respond({ method, url, headers }: LabRequest): LabAnswer {
    const isTraces = method === 'POST' && url === '/v1/traces' && headers['content-type'] === 'application/json';
    return isTraces
      ? jsonAnswer({ partialSuccess: {} })
      : { status: 404, contentType: 'text/plain', body: 'not found' };
  }
}

function spanOf({ attributes, status, parentSpanId, traceState, events, links, ...span }: OtlpSpan): CollectedSpan {
  if (events.length + links.length > 0 || status.message !== undefined)
    throw new Error('a span says more than attributes');
  const { name, traceId, spanId, kind } = span;
  const common = { name, traceId, spanId, kind, parentSpanId: parentSpanId ?? null, traceState: traceState ?? null };
  return { ...common, attributes: attributesOf(attributes), failed: status.code === ERROR };
}

function attributesOf(attributes: readonly OtlpAttribute[]): Readonly<Record<string, AttributeValue>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, otlpValue(value)]));
}

function otlpValue({ stringValue, intValue, arrayValue }: OtlpValue): AttributeValue {
  return stringValue ?? intValue ?? (arrayValue?.values ?? []).map(({ stringValue: item = '' }) => item);
}

import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';

type Resource = ReadableSpan['resource'];
type RawAttributes = ReturnType<Resource['getRawAttributes']>;

/**
 * Resource with only the given attributes, without those that OpenTelemetry would detect of process and machine. The library's own
 * class is in a package that is no direct dependency.
 */
export class ServiceResource implements Resource {
  readonly attributes: Readonly<Record<string, string>>;

  constructor(attributes: Readonly<Record<string, string>>) {
    this.attributes = attributes;
  }

  getRawAttributes(): RawAttributes {
    return Object.entries(this.attributes);
  }

  merge(other: Resource | null): Resource {
    const others = Object.entries(other?.attributes ?? {}).map(([name, value]) => [name, String(value)] as const);
    return new ServiceResource({ ...this.attributes, ...Object.fromEntries(others) });
  }
}

import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';

type Resource = ReadableSpan['resource'];
type RawAttributes = ReturnType<Resource['getRawAttributes']>;

/**
 * The attributes of the resource: those that are given, and nothing that OpenTelemetry would detect of process and machine. Its own
 * class for that is in a package that is not among those that veritee names.
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

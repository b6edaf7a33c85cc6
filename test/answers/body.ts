import type { JsonObject, JsonValue } from '../../src/core/json.js';
import { isMembers } from './canonical.js';

/** The service of the setting that receives a body, and the path. */
export type ServiceName = 'real' | 'bare' | 'lab';

/** One request. Its bytes are the same for both checkouts. */
export interface Body {
  /** Tells it from all others, and what is in it. */
  readonly name: string;
  /** The name under which it is counted. */
  readonly kind: string;
  readonly service: ServiceName;
  /** Path and query. */
  readonly target: string;
  /** Whether the request names the instant that is judged. */
  readonly atInstant: boolean;
  /** Made when it is posted: thousands of them would not fit into memory. */
  readonly text: () => string;
}

/** A request to /verify in parts. */
export interface Asked {
  readonly name: string;
  readonly kind: string;
  readonly service: ServiceName;
  readonly evidence: () => JsonObject;
  readonly nonce?: Uint8Array | null;
  readonly at?: string | null;
  /** One id, a list of ids, or none. */
  readonly policy?: string | readonly string[];
  /** Members beside these, or in their place. */
  readonly members?: () => JsonObject;
  readonly query?: string;
}

export function verifyBody(asked: Asked): Body {
  const { name, kind, service, policy, query = '', at = null } = asked;
  const label = policy === undefined ? '' : ` under ${[policy].flat().join('+')}`;
  return {
    name: `${kind}: ${name}${label}${query}${service === 'bare' ? ' without folders' : ''}`,
    kind,
    service,
    target: `/verify${query}`,
    atInstant: at !== null,
    text: () => JSON.stringify(requestOf(asked)),
  };
}

/** The same evidence posted to /inspect, by itself. */
export function inspectBody({ name, kind, service, evidence }: Asked): Body {
  const text = () => JSON.stringify(evidence());
  return { name: `${kind}: ${name} inspected`, kind: 'inspect', service, target: '/inspect', atInstant: false, text };
}

function requestOf({ evidence, nonce = null, at = null, policy, members }: Asked): JsonObject {
  return {
    evidence: evidence(),
    ...(nonce === null ? {} : { nonce: base64Url(nonce) }),
    ...(policy === undefined ? {} : { policy: policy as JsonValue }),
    ...(at === null ? {} : { at }),
    ...members?.(),
  };
}

/** The evidence once without each of its members, those of members too. */
export function withoutEach(evidence: JsonObject): readonly (readonly [path: string, evidence: JsonObject])[] {
  return Object.entries(evidence).flatMap(([name, member]) => {
    const { [name]: _, ...rest } = evidence;
    const inner = isMembers(member) ? withoutEach(member) : [];
    return [
      [name, rest] as const,
      ...inner.map(([path, changed]) => [`${name}.${path}`, { ...evidence, [name]: changed }] as const),
    ];
  });
}

/** Every n-th position of so many bytes, from a seed on. */
export function positions(length: number, stride: number, seed: number): readonly number[] {
  return Array.from({ length: Math.ceil(Math.max(0, length - (seed % stride)) / stride) }, (_, index) => {
    return index * stride + (seed % stride);
  });
}

/** One bit of one byte changed; which bit follows from the position. */
export function flipped(bytes: Uint8Array, position: number): Uint8Array {
  return Uint8Array.from(bytes, (byte, index) => (index === position ? byte ^ (1 << (position % 8)) : byte));
}

export function base64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}

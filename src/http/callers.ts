import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { RefusedError } from '../model/errors.js';
import type { Clock } from '../model/ports.js';
import type { Caller, Role } from '../model/request.js';

export interface ApiKeyCaller {
  readonly name: string;
  /** SHA-256 of the key, hex. The key itself is nowhere. */
  readonly apiKeySha256: string;
  /** Time from which the key is no longer valid; null: it does not expire. */
  readonly expires: Date | null;
  readonly roles: readonly Role[];
  /** Null: any. */
  readonly policies: readonly string[] | null;
  /** Null: any. */
  readonly audiences: readonly string[] | null;
  /** Ids of keys that it may have released. */
  readonly keys: readonly string[];
  readonly tenant: string;
}

/** Tells who asks. */
export interface CallerDirectory {
  /** Whether a request must have credentials. */
  readonly asksForCredentials: boolean;
  /** @throws {RefusedError} `unauthorized` */
  identify(headers: IncomingHttpHeaders): Caller;
  /** Whether requests under this Host name are served at all. */
  serves(host: string | undefined): boolean;
}

const SHA256_HEX = /^[0-9a-f]{64}$/i;

/** Callers with API keys, from `Authorization: Bearer` or `x-api-key`. */
export class ApiKeyCallers implements CallerDirectory {
  readonly asksForCredentials = true;
  readonly #callers: readonly { readonly digest: Buffer; readonly expires: Date | null; readonly caller: Caller }[];
  readonly #clock: Clock;

  /** @throws {TypeError} where a hash is not 64 hex digits: such a caller could never be recognised */
  constructor(callers: readonly ApiKeyCaller[], clock: Clock) {
    this.#clock = clock;
    this.#callers = callers.map((entry) => {
      if (!SHA256_HEX.test(entry.apiKeySha256)) throw new TypeError(`caller ${entry.name} has no SHA-256 of a key`);
      return { digest: Buffer.from(entry.apiKeySha256, 'hex'), expires: entry.expires, caller: callerOf(entry) };
    });
  }

  serves(): boolean {
    return true;
  }

  identify(headers: IncomingHttpHeaders): Caller {
    const key = presentedKey(headers);
    if (key === null)
      throw new RefusedError(
        'unauthorized',
        'no API key was sent: send it as Authorization: Bearer or as X-API-Key, not as both',
      );
    const digest = createHash('sha256').update(key).digest();
    // Every caller is compared, so that the time taken does not tell which one was near.
    const [found = null] = this.#callers.filter((candidate) => timingSafeEqual(digest, candidate.digest));
    // One answer for unknown and expired: whoever tries keys learns nothing.
    if (found === null || (found.expires !== null && this.#clock.now() >= found.expires)) {
      throw new RefusedError('unauthorized', 'the API key is not known, or is no longer valid');
    }
    return found.caller;
  }
}

/** No callers configured: everybody who reaches the socket is `local`, under loopback Host names only. */
export class LocalCaller implements CallerDirectory {
  readonly asksForCredentials = false;
  readonly #caller: Caller;
  readonly #anyHost: boolean;

  /** `insecure` gives up the defence against DNS rebinding, for addresses that are not loopback. */
  constructor(options: { readonly historical: boolean; readonly insecure: boolean }) {
    const roles: Role[] = ['verify', 'policy:read', 'metrics'];
    if (options.historical) roles.push('audit:read');
    // Whoever reaches an address that is not loopback gets no receipts: they open doors elsewhere.
    const audiences = options.insecure ? new Set<string>() : null;
    const keys = new Set<string>();
    this.#caller = { principal: 'local', tenant: 'default', roles: new Set(roles), policies: null, audiences, keys };
    this.#anyHost = options.insecure;
  }

  /** A page that resolves its own name to 127.0.0.1 still sends that name as Host. */
  serves(host: string | undefined): boolean {
    return this.#anyHost || namesLoopback(host);
  }

  identify(): Caller {
    return this.#caller;
  }
}

function callerOf(entry: ApiKeyCaller): Caller {
  return {
    principal: entry.name,
    tenant: entry.tenant,
    roles: new Set(entry.roles),
    policies: entry.policies === null ? null : new Set(entry.policies),
    audiences: entry.audiences === null ? null : new Set(entry.audiences),
    keys: new Set(entry.keys),
  };
}

/** The key as sent. Two different places at once are no key: it would be unclear who asks. */
function presentedKey(headers: IncomingHttpHeaders): string | null {
  const { authorization } = headers;
  const apiKey = headers['x-api-key'];
  if (authorization === undefined) return typeof apiKey === 'string' && apiKey !== '' ? apiKey : null;
  if (apiKey !== undefined) return null;
  return /^Bearer +([^\s]+)$/i.exec(authorization)?.[1] ?? null;
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;

/**
 * Whether a Host header names this machine: `localhost`, an address of 127.0.0.0/8, or `[::1]`, with or without port.
 * Other spellings of the same addresses (decimal, `127.1`, a trailing dot) are not taken: no client sends them by itself.
 */
export function namesLoopback(host: string | undefined): boolean {
  return host !== undefined && LOOPBACK.test(host);
}

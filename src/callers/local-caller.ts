import type { CallerDirectory } from '../core/caller-directory.js';
import type { Caller, Role } from '../core/request.js';

/** Without configured callers, every client of the socket is `local`, under loopback Host names only. */
export class LocalCaller implements CallerDirectory {
  readonly asksForCredentials = false;
  readonly #caller: Caller;
  readonly #anyHost: boolean;

  /** `insecure` disables the defence against DNS rebinding, for addresses that are not loopback. */
  constructor(options: { readonly historical: boolean; readonly insecure: boolean }) {
    const roles: Role[] = ['verify', 'policy:read', 'metrics'];
    if (options.historical) roles.push('audit:read');
    // Clients at an address that is not loopback get no receipts, which would give access to other systems.
    const audiences = options.insecure ? new Set<string>() : null;
    const keys = new Set<string>();
    this.#caller = { principal: 'local', tenant: 'default', roles: new Set(roles), policies: null, audiences, keys };
    this.#anyHost = options.insecure;
  }

  /** A page that resolves its own name to 127.0.0.1 still sends that name as Host. */
  serves(host: string | undefined): boolean {
    return this.#anyHost || namesLoopback(host);
  }

  async identify(): Promise<Caller> {
    return this.#caller;
  }
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;

/**
 * Whether a Host header names this machine: `localhost`, an address of 127.0.0.0/8, or `[::1]`, with or without port.
 * Rejects other spellings of the same addresses (decimal, `127.1`, a trailing dot): no client sends them by default.
 */
export function namesLoopback(host: string | undefined): boolean {
  return host !== undefined && LOOPBACK.test(host);
}

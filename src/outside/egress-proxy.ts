import type { Socket } from 'node:net';
import {
  type CircuitBreakerPolicy,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
  isBrokenCircuitError,
} from 'cockatiel';
import { buildConnector } from 'undici';
import { underBound } from './bounded-signal.js';
import { bareHost, directHosts, type IsDirect } from './direct-hosts.js';
import { FetchError } from './fetch-error.js';
import { DEFAULT_BREAKER } from './origin-breaker.js';
import { openTunnel, type ProxyServer, secureTunnel, type TunnelTls } from './proxy-tunnel.js';
import { readSecret } from './secret-file.js';

export interface EgressProxyOptions {
  /** `http://[user@]host:port`, or the same with https. */
  readonly url: string;
  /** File with the password of the user; null: no password is sent. */
  readonly passwordFile: string | null;
  /** Hosts that are contacted directly, as `directHosts` reads them. */
  readonly noProxy: readonly string[];
  /** Failures of the proxy in a row after which it is not contacted, and for how long. */
  readonly breaker?: { readonly failuresToOpen: number; readonly openMs: number };
  /** Authorities of an https proxy, for tests. In production, `NODE_EXTRA_CA_CERTS` adds roots. */
  readonly ca?: string;
}

/** The destination of a connection. */
export interface FarEnd {
  readonly hostname: string;
  readonly port: number;
  readonly isTls: boolean;
}

const KEEP_ALIVE_MS = 60_000;

/**
 * The proxy for outgoing connections. Each connection is a tunnel (CONNECT), with TLS to the destination inside. The proxy
 * resolves the name of the destination. Only the proxy receives the password.
 */
export class EgressProxy {
  readonly #server: ProxyServer;
  readonly #user: string;
  readonly #passwordFile: string | null;
  readonly #isDirect: IsDirect;
  readonly #breaker: CircuitBreakerPolicy;

  constructor({ url, passwordFile, noProxy, breaker = DEFAULT_BREAKER, ca }: EgressProxyOptions) {
    const { username, origin } = new URL(url);
    this.#server = { url: new URL(origin), ca };
    this.#user = decodeURIComponent(username);
    this.#passwordFile = passwordFile;
    this.#isDirect = directHosts(noProxy);
    this.#breaker = circuitBreaker(
      handleWhen((error) => error instanceof FetchError && error.ofProxy),
      { breaker: new ConsecutiveBreaker(breaker.failuresToOpen), halfOpenAfter: breaker.openMs },
    );
  }

  /** Whether connections to a host go through the proxy. */
  carries(hostname: string): boolean {
    return !this.#isDirect(hostname);
  }

  /** A connector for undici, which connects directly to hosts that bypass the proxy. */
  connector({ timeoutMs, ...options }: TunnelTls & { readonly timeoutMs: number }): buildConnector.connector {
    const direct = buildConnector({ timeout: timeoutMs, ...options });
    return (to, done) => {
      const { hostname, protocol, port } = to;
      if (!this.carries(hostname)) return direct(to, done);
      const isTls = protocol === 'https:';
      const farEnd = { hostname, port: Number(port || (isTls ? 443 : 80)), isTls };
      this.connect(farEnd, options, timeoutMs).then(
        (socket) => done(null, socket),
        (error: Error) => done(error, null),
      );
    };
  }

  /**
   * Opens a connection to the destination.
   * @throws {FetchError} `proxy_unreachable` or `proxy_refused` for a fault of the proxy, `open` after several
   *   of them in a row, `network` or `timeout` for a fault of the destination
   */
  async connect({ hostname, port, isTls }: FarEnd, tls: TunnelTls, timeoutMs: number): Promise<Socket> {
    const host = bareHost(hostname);
    const target = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    return underBound(new AbortController().signal, timeoutMs, async (signal) => {
      const tunnel = await this.#whileHealthy(async () =>
        openTunnel(this.#server, target, await this.#credentials(), { signal, reachMs: timeoutMs / 2 }),
      );
      const socket = isTls ? await secureTunnel(tunnel, host, tls, signal) : tunnel;
      return socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
    });
  }

  async #whileHealthy<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await this.#breaker.execute(call);
    } catch (error) {
      if (!isBrokenCircuitError(error)) throw error;
      throw new FetchError('open', 'not contacted: the proxy failed several times in a row');
    }
  }

  /** Basic credentials (RFC 7617). The file is read for each connection, so that a password can be rotated. */
  async #credentials(): Promise<Readonly<Record<string, string>>> {
    if (this.#passwordFile === null) return {};
    const password = await readSecret(this.#passwordFile).catch((cause: unknown) => {
      throw new FetchError('proxy_unreachable', 'not reached: the password of the proxy cannot be read', { cause });
    });
    const basic = Buffer.from(`${this.#user}:${password}`).toString('base64');
    return { 'proxy-authorization': `Basic ${basic}` };
  }
}

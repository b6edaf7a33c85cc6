import { type ClientRequest, type RequestOptions, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type PeerCertificate, type TLSSocket } from 'node:tls';
import type { buildConnector } from 'undici';
import { quotedName } from '../core/names-in-messages.js';
import { bareHost } from './direct-hosts.js';
import { FetchError } from './fetch-error.js';

/** An HTTP proxy. */
export interface ProxyServer {
  /** Scheme, host and port. */
  readonly url: URL;
  /** Authorities of an https proxy; undefined: the authorities of the process. */
  readonly ca?: string | undefined;
}

/** Time limits of an attempt. */
export interface TunnelBounds {
  /** Ends the whole attempt. */
  readonly signal: AbortSignal;
  /** Time limit of the connection to the proxy. It is shorter, so that a proxy outage differs from one of the destination. */
  readonly reachMs: number;
}

/** Options of TLS to the destination. */
export type TunnelTls = buildConnector.BuildOptions;

/** The proxy rejects the credentials: 407 by RFC 9110, 15.5.8; tinyproxy answers 401 to a wrong password. */
const REFUSALS: ReadonlySet<number> = new Set([401, 407]);

/**
 * Asks a proxy for a tunnel (RFC 9110, 9.3.6).
 *
 * @param target `host:port` of the destination
 * @param headers sent only to the proxy
 * @throws {FetchError} `proxy_unreachable`, `proxy_refused`; `network` or `timeout` if the proxy cannot reach the destination
 */
export function openTunnel(
  proxy: ProxyServer,
  target: string,
  headers: Readonly<Record<string, string>>,
  { signal, reachMs }: TunnelBounds,
): Promise<Socket> {
  const asked = connectRequest(proxy, {
    headers: { host: target, ...headers },
    path: target,
    signal,
    timeout: reachMs,
  });
  let isConnected = false;
  return new Promise((resolve, reject) => {
    asked.once('socket', (socket) => {
      socket.once(isTls(proxy) ? 'secureConnect' : 'connect', () => {
        isConnected = true;
      });
    });
    asked.on('timeout', () => {
      if (!isConnected) asked.destroy(new Error('no connection in time'));
    });
    asked.once('connect', ({ statusCode = 0 }, socket, head) => {
      const refusal = tunnelRefusal(statusCode, head);
      if (refusal === null) return resolve(socket.setTimeout(0));
      socket.on('error', () => {}).destroy();
      reject(refusal);
    });
    asked.once('error', (cause) => {
      // A proxy that accepted the request waits for the destination. Before that, the proxy itself is at fault.
      reject(signal.aborted && isConnected ? noAnswer() : unreachable(cause));
    });
    asked.end();
  });
}

function isTls({ url }: ProxyServer): boolean {
  return url.protocol === 'https:';
}

function connectRequest(proxy: ProxyServer, options: RequestOptions): ClientRequest {
  const { url, ca } = proxy;
  const plain = { ...options, method: 'CONNECT', agent: false };
  if (!isTls(proxy)) return requestHttp(url, plain);
  // Without servername, Node compares the certificate of the proxy with the host header, which names the destination.
  const tls = { ca, servername: serverNameOf(bareHost(url.hostname)), ALPNProtocols: ['http/1.1'] };
  return requestHttps(url, { ...plain, ...tls });
}

/** A name for SNI, which must not be an address (RFC 6066, 3). */
function serverNameOf(host: string): string {
  return isIP(host) === 0 ? host : '';
}

function tunnelRefusal(status: number, head: Buffer): FetchError | null {
  if (REFUSALS.has(status)) {
    return new FetchError(
      'proxy_refused',
      `not reached: the proxy refuses the service (proxy_refused, status ${status})`,
    );
  }
  // The status is the proxy's: it must not look like an answer of the destination.
  if (status < 200 || status >= 300)
    return new FetchError('network', `not reached: the proxy opened no tunnel (status ${status})`);
  return head.byteLength === 0 ? null : new FetchError('network', 'not reached: the proxy sent bytes of its own');
}

function unreachable(cause: unknown): FetchError {
  return new FetchError('proxy_unreachable', 'not reached: no connection to the proxy', { cause });
}

function noAnswer(): FetchError {
  return new FetchError('timeout', 'no answer in time through the proxy');
}

/**
 * Starts TLS to the destination inside a tunnel.
 * @throws {FetchError} `network`; its cause names the issuer of an untrusted certificate, which may belong to the proxy
 */
export function secureTunnel(
  tunnel: Socket,
  host: string,
  options: TunnelTls,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const given: ConnectionOptions = { servername: serverNameOf(host), ...options };
  const socket = connectTls({ ...given, socket: tunnel, host, ALPNProtocols: ['http/1.1'] });
  let issuer: string | null = null;
  // Runs before Node verifies the certificate: after a failure Node closes the connection, and the certificate is lost.
  socket.prependOnceListener('secure', () => {
    issuer = issuerOf(socket.getPeerCertificate());
  });
  return new Promise((resolve, reject) => {
    const stop = () => socket.destroy(noAnswer());
    const settle = () => signal.removeEventListener('abort', stop);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    socket.once('secureConnect', () => {
      settle();
      resolve(socket);
    });
    socket.on('error', (cause) => {
      settle();
      reject(cause instanceof FetchError ? cause : notSecured(cause, socket, issuer));
    });
  });
}

function notSecured(cause: Error, { authorizationError }: TLSSocket, issuer: string | null): FetchError {
  if (!authorizationError || issuer === null) {
    return new FetchError('network', 'not reached: no TLS through the proxy', { cause });
  }
  const named = new Error(`the certificate is issued by ${issuer}: ${cause.message}`);
  const message = 'not reached: its certificate is not trusted, and the proxy may intercept TLS';
  return new FetchError('network', message, { cause: named });
}

function issuerOf({ issuer }: PeerCertificate): string {
  const name = [issuer?.CN ?? issuer?.O].flat()[0];
  return name === undefined ? 'an authority without a name' : quotedName(name);
}

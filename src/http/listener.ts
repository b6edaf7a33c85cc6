import { constants, randomBytes } from 'node:crypto';
import type { RequestListener, Server, ServerOptions } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { type SecureContextOptions, TLSSocket } from 'node:tls';

/**
 * PEM texts. With `clientCa`, every client needs a certificate of that CA. With `clientCrl`, every certificate
 * of a client's path needs a valid CRL, and must not be on it.
 */
export interface TlsMaterial {
  readonly cert: string;
  readonly key: string;
  readonly clientCa: string | null;
  readonly clientCrl: readonly string[];
}

/** The certificate and key of a listener, as PEM texts. */
export type TlsIdentity = Pick<TlsMaterial, 'cert' | 'key'>;

/** The limits for one client. Times in milliseconds. */
export interface ConnectionLimits {
  /** From the first byte of a request, or a TLS handshake, to the end of its headers. */
  readonly headersMs: number;
  /** From the first byte of a request to the last of its body. */
  readonly requestMs: number;
  /** Between an answer and the next request. Longer than the 60 seconds after which common balancers close a connection. */
  readonly keepAliveMs: number;
  /** How often the first two limits are checked. */
  readonly checkMs: number;
  /** Bytes of request line and headers. */
  readonly headerBytes: number;
  readonly connections: number;
}

export const DEFAULT_CONNECTION_LIMITS: ConnectionLimits = {
  headersMs: 5_000,
  requestMs: 10_000,
  keepAliveMs: 65_000,
  checkMs: 500,
  headerBytes: 16 * 1024,
  connections: 4_096,
};

interface ListenerOptions {
  readonly deadlineSeconds: number;
  readonly tls: TlsMaterial | null;
}

/**
 * Creates the server under the framework, with every limit explicit: its defaults would be unlimited.
 * Closes a socket that is idle longer than reading and verification may take together.
 */
export function createListener(listener: RequestListener, limits: ConnectionLimits, options: ListenerOptions): Server {
  const server = serverOf(listener, httpOptions(limits), options, limits.headersMs);
  server.maxConnections = limits.connections;
  server.setTimeout(limits.requestMs + options.deadlineSeconds * 1000);
  // An expectation other than 100-continue may be ignored (RFC 9110, 10.1.1); by default Node would answer without a body.
  server.on('checkExpectation', listener);
  return server;
}

function httpOptions(limits: ConnectionLimits): ServerOptions {
  return {
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: limits.checkMs,
    maxHeaderSize: limits.headerBytes,
    insecureHTTPParser: false,
    // The service rejects a missing Host itself, so that the answer is a problem document.
    requireHostHeader: false,
  };
}

function serverOf(
  listener: RequestListener,
  options: ServerOptions,
  { tls }: ListenerOptions,
  handshakeTimeout: number,
): Server {
  if (tls === null) return createServer(options, listener);
  const client = tls.clientCa === null ? {} : { requestCert: true, rejectUnauthorized: true };
  return createTlsServer({ ...options, ...secureContext(tls), handshakeTimeout, ...client }, listener);
}

/** Disables renegotiation: a client keeps its identity for the whole connection. */
function secureContext({ cert, key, clientCa, clientCrl }: TlsMaterial): SecureContextOptions {
  const secureOptions = constants.SSL_OP_NO_RENEGOTIATION;
  const clients = clientCa === null ? {} : { ca: clientCa, ...(clientCrl.length === 0 ? {} : { crl: [...clientCrl] }) };
  return { cert, key, minVersion: 'TLSv1.2', secureOptions, ...clients };
}

const SHOWN = new WeakMap<Socket, Uint8Array>();

/** The verified client certificate, DER; null if the listener requests none. Headers of proxies are ignored. */
export function clientCertificateOf(socket: Socket): Uint8Array | null {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return null;
  const known = SHOWN.get(socket);
  if (known !== undefined) return known;
  const der = socket.getPeerX509Certificate()?.raw;
  if (der === undefined) return null;
  SHOWN.set(socket, der);
  return der;
}

/**
 * Uses this material for new handshakes. It must have a client CA if and only if the previous material has one:
 * the server decides at its creation whether it requests client certificates.
 *
 * @throws {Error} if it cannot be used; then nothing has changed
 */
export function exchangeTls(server: Server, tls: TlsMaterial): void {
  if (!(server instanceof TlsServer)) throw new Error('the server does not speak TLS');
  server.setSecureContext(secureContext(tls));
}

/** Ends TLS sessions, so that clients must show their certificate again: a resumed session requests none. */
export function endSessions(server: Server): void {
  if (server instanceof TlsServer) server.setTicketKeys(randomBytes(TICKET_KEY_BYTES));
}

const TICKET_KEY_BYTES = 48;

import {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerFactory,
  type FastifyServerOptions,
  fastify,
  type RouteOptions,
} from 'fastify';
import { RefusedError } from '../core/errors.js';
import { SERVICE } from '../core/fair-queue.js';
import type { Log } from '../core/ports.js';
import { admit, type Guard } from './access.js';
import { answerError, answerSocketError } from './error-answers.js';
import { type ConnectionLimits, createListener, type TlsMaterial } from './listener.js';
import { failureRate, type RateLimits, registerRateLimits } from './load-limits.js';
import { requestIdOf, servedPath, writeRequest } from './request-log.js';

/** The options of every listener of the service. */
export interface PlainApplicationOptions {
  readonly log: Log;
  /** Longest body, bytes. */
  readonly bodyBytes: number;
  /** Longest time that an answer takes once the request is read, seconds. */
  readonly deadlineSeconds: number;
  /** Addresses or ranges whose X-Forwarded-For counts. */
  readonly trustedProxies: readonly string[];
  /** Null: plain HTTP. */
  readonly tls: TlsMaterial | null;
  readonly limits: ConnectionLimits;
  readonly rewriteUrl?: FastifyServerOptions['rewriteUrl'];
  /** The message for a path without a route. */
  readonly nothingHere: string;
  /** Hears of each answer. */
  readonly onAnswered?: (request: FastifyRequest, reply: FastifyReply) => void;
}

/** An application without routes: bounded connections, errors as problem documents, security headers, one log record an answer. */
export function createPlainApplication(options: PlainApplicationOptions): FastifyInstance {
  const { log, tls, nothingHere } = options;
  const setSecurityHeaders = securityHeaders({ tls: tls !== null });
  const serverFactory: FastifyServerFactory = (listener) => createListener(listener, options.limits, options);
  const application = fastify({
    serverFactory,
    // One record an answer is written below; a logger of the framework's own would cost each request a child.
    logger: false,
    bodyLimit: options.bodyBytes,
    trustProxy: options.trustedProxies.length > 0 ? [...options.trustedProxies] : false,
    genReqId: requestIdOf,
    return503OnClosing: false,
    ...(options.rewriteUrl === undefined ? {} : { rewriteUrl: options.rewriteUrl }),
    // A path that the router cannot read: no hook has seen such a request.
    frameworkErrors: (_error, request, reply) => {
      setSecurityHeaders(reply);
      answerError(options, new RefusedError('not_found', nothingHere), request, reply);
    },
    clientErrorHandler: (error, socket) => answerSocketError(log, error, socket),
  });
  application.setErrorHandler((error, request, reply) => answerError(options, error, request, reply));
  // Only files of the page get here: other unknown paths are refused with the headers.
  application.setNotFoundHandler(() => {
    throw new RefusedError('not_found', nothingHere);
  });
  application.addHook('onRequest', (request, reply, done) => {
    setSecurityHeaders(reply);
    reply.header('x-request-id', request.id);
    done();
  });
  observeRequests(application, options);
  return application;
}

function observeRequests(application: FastifyInstance, { log, onAnswered }: PlainApplicationOptions): void {
  application.decorateRequest('caller', null);
  application.decorateRequest('sharer', SERVICE);
  application.decorateRequest('decision', null);
  application.decorateRequest('release', null);
  application.decorateRequest('audience', null);
  application.decorateRequest('gate', null);
  application.decorateRequest('problem', null);
  application.decorateRequest('span', null);
  application.addHook('onResponse', (request, reply, done) => {
    onAnswered?.(request, reply);
    writeRequest(log, request, reply);
    done();
  });
}

/**
 * Lets requests pass to the routes that are added from now on: host, caller, role, rate, all before their body.
 * To be called before the first route.
 */
export function guardRoutes(
  application: FastifyInstance,
  asked: Pick<Guard, 'callers' | 'nothingHere' | 'tracer'>,
  rates: RateLimits,
): void {
  const methods = methodsByPath(application);
  // The hook of the limits is one of the route, and those run after the ones added here.
  registerRateLimits(application, rates);
  application.after(() => {
    const guard: Guard = { ...asked, methods, failures: failureRate(application, rates) };
    application.addHook('onRequest', (request, reply) => admit(guard, request, reply));
  });
}

/** Methods of every path, filled as routes are added. A route that does not say who may use it does not start. */
function methodsByPath(application: FastifyInstance): ReadonlyMap<string, readonly string[]> {
  const methods = new Map<string, string[]>();
  const routes: RouteOptions[] = [];
  application.addHook('onRoute', (route) => {
    routes.push(route);
    const path = servedPath(route.url);
    methods.set(path, [...(methods.get(path) ?? []), ...[route.method].flat()]);
  });
  application.addHook('onReady', async () => {
    const open = routes.find((route) => route.config?.access === undefined);
    if (open !== undefined) throw new Error(`route ${servedPath(open.url)} does not say who may use it`);
  });
  return methods;
}

/**
 * Headers of every answer. They never change, so they are kept ready: a general middleware that builds them anew
 * for each request costs more than the rest of the HTTP layer.
 */
const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

const STRICT_TRANSPORT_SECURITY = 'max-age=31536000';

/** Sets the headers of an answer. No CORS header is among them: no page of another origin may read an answer. */
function securityHeaders(options: { readonly tls: boolean }): (reply: FastifyReply) => void {
  const headers = options.tls ? { ...HEADERS, 'strict-transport-security': STRICT_TRANSPORT_SECURITY } : HEADERS;
  return (reply) => {
    reply.headers(headers);
  };
}

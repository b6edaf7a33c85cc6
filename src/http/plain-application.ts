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
  /** Longest time of an answer once the request is read, seconds. */
  readonly deadlineSeconds: number;
  /** Addresses or ranges whose X-Forwarded-For is trusted. */
  readonly trustedProxies: readonly string[];
  /** Null: plain HTTP. */
  readonly tls: TlsMaterial | null;
  readonly limits: ConnectionLimits;
  readonly rewriteUrl?: FastifyServerOptions['rewriteUrl'];
  /** The message for a path without a route. */
  readonly nothingHere: string;
  /** Called after each answer. */
  readonly onAnswered?: (request: FastifyRequest, reply: FastifyReply) => void;
}

/** Creates an application without routes: bounded connections, problem documents, security headers, one log record per answer. */
export function createPlainApplication(options: PlainApplicationOptions): FastifyInstance {
  const { log, tls, nothingHere } = options;
  const setSecurityHeaders = securityHeaders({ tls: tls !== null });
  const serverFactory: FastifyServerFactory = (listener) => createListener(listener, options.limits, options);
  const application = fastify({
    serverFactory,
    // One record per answer is written below; the framework's logger would create a child for each request.
    logger: false,
    bodyLimit: options.bodyBytes,
    trustProxy: options.trustedProxies.length > 0 ? [...options.trustedProxies] : false,
    genReqId: requestIdOf,
    return503OnClosing: false,
    ...(options.rewriteUrl === undefined ? {} : { rewriteUrl: options.rewriteUrl }),
    // A path that the router cannot parse: no hook ran for such a request.
    frameworkErrors: (_error, request, reply) => {
      setSecurityHeaders(reply);
      answerError(options, new RefusedError('not_found', nothingHere), request, reply);
    },
    clientErrorHandler: (error, socket) => answerSocketError(log, error, socket),
  });
  application.setErrorHandler((error, request, reply) => answerError(options, error, request, reply));
  // Only missing files of the pages get here: other unknown paths are rejected by their headers.
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
 * Adds the checks for later routes: host, caller, role, rate, all before the body is read.
 * Call it before the first route is added.
 */
export function guardRoutes(
  application: FastifyInstance,
  asked: Pick<Guard, 'callers' | 'nothingHere' | 'tracer'>,
  rates: RateLimits,
): void {
  const methods = methodsByPath(application);
  // The hook of the limits belongs to the route, and route hooks run after those added here.
  registerRateLimits(application, rates);
  application.after(() => {
    const guard: Guard = { ...asked, methods, failures: failureRate(application, rates) };
    application.addHook('onRequest', (request, reply) => admit(guard, request, reply));
  });
}

/** Collects the methods of every path as routes are added. A route without `access` stops the start. */
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
 * Headers of every answer. They are constant, so they are prepared once: a general middleware that builds them
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

/** Sets the headers of an answer. There is no CORS header: no page of another origin may read an answer. */
function securityHeaders(options: { readonly tls: boolean }): (reply: FastifyReply) => void {
  const headers = options.tls ? { ...HEADERS, 'strict-transport-security': STRICT_TRANSPORT_SECURITY } : HEADERS;
  return (reply) => {
    reply.headers(headers);
  };
}

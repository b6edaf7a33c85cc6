import underPressure from '@fastify/under-pressure';
import {
  type FastifyInstance,
  type FastifyReply,
  type FastifyServerFactory,
  fastify,
  type RouteOptions,
} from 'fastify';
import { RefusedError } from '../model/errors.js';
import { admit, type Guard } from './access.js';
import type { HttpDependencies } from './dependencies.js';
import { answerError, answerSocketError } from './error-answers.js';
import { routedTarget } from './gate-target.js';
import { createListener, DEFAULT_CONNECTION_LIMITS } from './listener.js';
import { DEFAULT_RATE_LIMITS, failureRate, refuseLate, registerRateLimits } from './load-limits.js';
import { requestIdOf, routeOf, servedPath, writeRequest } from './request-log.js';
import { takeEveryMethod } from './routes/gate-route.js';
import { registerRoutes } from './routes/route-table.js';

const DEFAULT_EVENT_LOOP_DELAY_MS = 1_000;

const NOTHING_HERE = 'nothing is at this path; GET /docs lists all paths';

/** The HTTP service as an application. Opens no port. */
export function createApplication(dependencies: HttpDependencies): FastifyInstance {
  const { settings, log } = dependencies;
  const limits = { ...DEFAULT_CONNECTION_LIMITS, ...settings.connections };
  const setSecurityHeaders = securityHeaders({ tls: settings.tls !== null });
  const serverFactory: FastifyServerFactory = (listener) => createListener(listener, limits, settings);
  const application = fastify({
    serverFactory,
    // One record an answer is written below; a logger of the framework's own would cost each request a child.
    logger: false,
    bodyLimit: settings.bodyBytes,
    trustProxy: settings.trustedProxies.length > 0 ? [...settings.trustedProxies] : false,
    genReqId: requestIdOf,
    return503OnClosing: false,
    rewriteUrl: ({ url = '' }) => routedTarget(url),
    // A path that the router cannot read: no hook has seen such a request.
    frameworkErrors: (_error, request, reply) => {
      setSecurityHeaders(reply);
      answerError(dependencies, new RefusedError('not_found', NOTHING_HERE), request, reply);
    },
    clientErrorHandler: (error, socket) => answerSocketError(log, error, socket),
  });
  takeEveryMethod(application);
  readBodiesAsBytes(application);
  application.setErrorHandler((error, request, reply) => answerError(dependencies, error, request, reply));
  // Only files of the page get here: other unknown paths are refused with the headers.
  application.setNotFoundHandler(() => {
    throw new RefusedError('not_found', NOTHING_HERE);
  });
  application.addHook('onRequest', (request, reply, done) => {
    setSecurityHeaders(reply);
    reply.header('x-request-id', request.id);
    done();
  });
  observeRequests(application, dependencies);
  registerDefences(application, dependencies);
  application.register(async (scope) => registerRoutes(scope, dependencies));
  application.addHook('onClose', async () => dependencies.metrics.close());
  return application;
}

/** The framework's own JSON parser accepts duplicate members and drops others: bodies are read in wire/. */
function readBodiesAsBytes(application: FastifyInstance): void {
  application.removeAllContentTypeParsers();
  application.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body);
  });
}

function observeRequests(application: FastifyInstance, dependencies: HttpDependencies): void {
  const { metrics, log } = dependencies;
  application.decorateRequest('caller', null);
  application.decorateRequest('decision', null);
  application.decorateRequest('release', null);
  application.decorateRequest('audience', null);
  application.decorateRequest('gate', null);
  application.decorateRequest('problem', null);
  application.addHook('onResponse', (request, reply, done) => {
    metrics.requestAnswered({
      method: request.method,
      route: routeOf(request),
      status: reply.statusCode,
      seconds: reply.elapsedTime / 1000,
    });
    writeRequest(log, request, reply);
    done();
  });
}

/** In the order in which a request meets them, all before its body: load, host, caller, role, rate. */
function registerDefences(application: FastifyInstance, dependencies: HttpDependencies): void {
  const { settings, callers } = dependencies;
  const rates = { ...DEFAULT_RATE_LIMITS, ...settings.rates };
  const methods = methodsByPath(application);
  application.register(underPressure, {
    maxEventLoopDelay: settings.eventLoopDelayMs ?? DEFAULT_EVENT_LOOP_DELAY_MS,
    pressureHandler: (_request, _reply, _kind, delayMs) => refuseLate(delayMs),
  });
  // The hook of the limits is one of the route, and those run after the ones added here.
  registerRateLimits(application, rates);
  application.after(() => {
    const guard: Guard = { callers, methods, failures: failureRate(application, rates) };
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

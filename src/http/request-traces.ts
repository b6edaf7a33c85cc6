import { finished } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Decision } from '../core/decision.js';
import type { RequestSpan, RequestTracer, SpanAttributes } from '../core/traces.js';
import { isQuiet, routeOf } from './request-log.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Null if the request is not traced. */
    span: RequestSpan | null;
  }
}

/** Statuses from this one on are faults of the service. */
const SERVER_FAULT = 500;

/**
 * Makes a span for each sampled request, from the first hook to the end of the answer. Call it before other hooks and routes are
 * added. Probes and scrapes are not traced.
 */
export function traceRequests(application: FastifyInstance, tracer: RequestTracer): void {
  application.addHook('onRequest', (request, reply, done) => {
    const span = isQuiet(routeOf(request)) ? null : tracer.request(spanName(request), parentOf(request));
    request.span = span;
    if (span === null) return done();
    // Not `onResponse`: it does not run if the client disconnects.
    reply.raw.once('close', () => endSpan(span, request, reply));
    span.within(done);
  });
  application.addHook('preParsing', (request, _reply, payload, done) => {
    if (request.span !== null && hasBody(request))
      finished(payload, { writable: false }, request.span.begin('read body'));
    done(null, payload);
  });
  // The body arrives in connection events, which have no request context.
  application.addHook('preValidation', (request, _reply, done) => {
    if (request.span === null) done();
    else request.span.within(done);
  });
}

/** Method and route, which have few values: never the path as sent. */
function spanName(request: FastifyRequest): string {
  const route = routeOf(request);
  return route === null ? request.method : `${request.method} ${route}`;
}

/** The parent of the span. Node joins repeated headers, which makes them invalid. */
function parentOf({ headers }: FastifyRequest): string | undefined {
  const { traceparent } = headers;
  return typeof traceparent === 'string' ? traceparent : undefined;
}

function hasBody({ headers }: FastifyRequest): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}

function endSpan(span: RequestSpan, request: FastifyRequest, reply: FastifyReply): void {
  span.set({
    'veritee.request_id': request.id,
    'http.request.method': request.method,
    ...routeAttribute(request),
    ...(request.decision === null ? {} : decisionAttributes(request.decision)),
  });
  if (reply.raw.writableFinished) setStatus(span, request, reply.statusCode);
  // An answer that was not delivered has no status.
  else span.fail('client_gone');
  span.end();
}

function setStatus(span: RequestSpan, { problem }: FastifyRequest, status: number): void {
  span.set({ 'http.response.status_code': status });
  if (status >= SERVER_FAULT) span.fail(problem?.code ?? String(status));
  else if (problem !== null) span.set({ 'error.type': problem.code });
}

function routeAttribute(request: FastifyRequest): SpanAttributes {
  const route = routeOf(request);
  return route === null ? {} : { 'http.route': route };
}

function decisionAttributes(decision: Decision): SpanAttributes {
  return {
    'veritee.decision': decision.decision,
    'veritee.decision_id': decision.decisionId,
    'veritee.reasons': decision.reasons,
    'veritee.policies': decision.policies.map(({ id }) => id),
    'veritee.evidence_type': decision.evidence.type,
  };
}

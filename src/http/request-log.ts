import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Decision } from '../core/decision.js';
import { isPlainName } from '../core/names-in-messages.js';
import type { Log } from '../core/ports.js';
import { shadowFlips } from '../judge/shadow-flips.js';

/** Routes that machines call every few seconds: their answers are logged at `debug`. */
const QUIET: ReadonlySet<string> = new Set(['/livez', '/readyz', '/metrics']);

/** Whether a route is one of these. */
export function isQuiet(route: string | null): boolean {
  return route !== null && QUIET.has(route);
}

/** The path of the route, or null if there is none. Never the path as sent, which is text of the client. */
export function routeOf(request: FastifyRequest): string | null {
  const { url } = request.routeOptions;
  return request.is404 || url === undefined ? null : servedPath(url);
}

/**
 * Formats a route's path like openapi.yaml: the framework doubles a colon that begins no parameter, and adds the form
 * of a parameter after its name.
 */
export function servedPath(url: string): string {
  return url.replaceAll(/\(.*?\)/g, '').replaceAll('::', ':');
}

/** Writes the log record of an answered request. */
export function writeRequest(log: Log, request: FastifyRequest, reply: FastifyReply): void {
  const route = routeOf(request);
  const record = {
    requestId: request.id,
    method: request.method,
    route,
    status: reply.statusCode,
    durationMs: Math.round(reply.elapsedTime * 1000) / 1000,
    principal: request.caller?.principal ?? null,
    tenant: request.caller?.tenant ?? null,
    address: request.ip,
    ...(request.span === null ? {} : { traceId: request.span.traceId }),
    ...(request.decision === null ? {} : { ...decisionFields(request.decision), audience: request.audience }),
    ...(request.release === null ? {} : { release: request.release }),
    ...(request.problem === null ? {} : problemFields(request.problem)),
    ...request.gate,
  };
  if (isQuiet(route)) log.debug(record, 'request');
  else log.info(record, 'request');
}

function decisionFields(decision: Decision): object {
  // The log calls all of them rules, including checks.
  const flips = shadowFlips(decision).map(({ policy, outcome, ids }) => ({ policy, outcome, rules: ids }));
  return {
    ...(flips.length === 0 ? {} : { shadowFlips: flips }),
    decision: decision.decision,
    decisionId: decision.decisionId,
    reasons: decision.reasons,
    evidenceType: decision.evidence.type,
    evidenceSha256: decision.evidence.sha256,
    policies: decision.policies.map(({ id, version, sha256 }) => ({ id, version, sha256 })),
  };
}

function problemFields({ pointer, ...said }: NonNullable<FastifyRequest['problem']>): object {
  return pointer === null ? said : { ...said, pointer: plainPointer(pointer) };
}

/** Removes names from a pointer that the client may have made up. */
function plainPointer(pointer: string): string {
  const names = pointer.split('/').slice(1, 1 + MOST_NAMES);
  return names.map((name) => `/${isPlainName(name) ? name : '(name withheld)'}`).join('');
}

const MOST_NAMES = 16;

const ACCEPTABLE = /^[A-Za-z0-9_-]{1,64}$/;

/** The client's `x-request-id` if it is short and plain, else a new one: logs and a response header contain it. */
export function requestIdOf(request: IncomingMessage): string {
  const sent = request.headers['x-request-id'];
  return typeof sent === 'string' && ACCEPTABLE.test(sent) ? sent : randomUUID();
}

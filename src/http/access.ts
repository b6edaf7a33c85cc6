import type { FastifyReply, FastifyRequest } from 'fastify';
import type { CallerDirectory } from '../core/caller-directory.js';
import type { Decision } from '../core/decision.js';
import { FormatError, RefusedError } from '../core/errors.js';
import { nearNames } from '../core/names-in-messages.js';
import type { Caller, Role } from '../core/request.js';
import type { Tracer } from '../core/traces.js';
import { clientCertificateOf } from './listener.js';
import type { OwnRate } from './load-limits.js';

/** Who may use a route: every client, or callers with a role. A route without `access` stops the start. */
export type Access = 'public' | Role;

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
    /** For a public route: whether a caller with credentials gets more. Wrong credentials change nothing. */
    looksAtCaller?: boolean;
    /** Whether it is served under every host name: its answers have nothing to hide from a page of another origin. */
    anyHost?: boolean;
    /** Member of @fastify/under-pressure, which does not declare it: replaces the refusal under load. */
    pressureHandler?: () => void;
  }
  interface FastifyRequest {
    /** Null on public routes, and before authentication. */
    caller: Caller | null;
    /** Principal for slots and memory. Without configured callers it is `SERVICE`, which may use all of them. */
    sharer: string;
    /** The decision, for the log. */
    decision: Decision | null;
    /** The result of a key release, for the log. */
    release: { readonly keyId: string; readonly dryRun: boolean; readonly state: string } | null;
    /** Name of the relying party that the decision is for, for the log. */
    audience: string | null;
    /** The answer of a gate, for the log. `gate`: null if the gate does not exist; `code`: null if it let the request through. */
    gate: { readonly gate: string | null; readonly code: string | null; readonly decisionId: string | null } | null;
    /** Code and pointer of the problem document, for the log. */
    problem: { readonly code: string; readonly pointer: string | null; readonly why?: string } | null;
  }
}

/** `rawHeaders` has names and values in turn. */
const MAX_RAW_HEADERS = 2 * 100;

/** Headers that determine the meaning of a request. Node uses the first of a repeated header; a proxy may have used the last. */
const SINGLE_HEADERS: ReadonlySet<string> = new Set(['host', 'content-type', 'authorization']);

/** The one role that a client can lack if no callers are configured. */
const GRANTED_WITHOUT_CALLERS = ': no callers are configured, and historical: true grants it';

export interface Guard {
  readonly callers: () => CallerDirectory;
  /** Failed authentications by address. */
  readonly failures: OwnRate;
  /** Methods of each path with a route. */
  readonly methods: ReadonlyMap<string, readonly string[]>;
  /** The message for a path without a route. */
  readonly nothingHere: string;
  readonly tracer: Tracer;
}

/**
 * Lets a request pass to its route, or refuses it. Uses only the headers: no byte of the body is read before.
 *
 * @throws {FormatError | RefusedError}
 */
export async function admit(guard: Guard, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  requirePlainHeaders(request);
  const callers = guard.callers();
  if (!callers.serves(request.headers.host) && request.routeOptions.config.anyHost !== true) {
    throw new RefusedError(
      'forbidden',
      'this host name is not served: without callers only localhost, 127.0.0.1 and [::1] are',
    );
  }
  if (request.is404) refuseUnknown(guard, request, reply);
  const { access, looksAtCaller } = request.routeOptions.config;
  if (access === 'public') {
    if (looksAtCaller === true) request.caller = await knownCaller(callers, guard, request);
    return;
  }
  // Intermediaries with other versions may disagree with the service about the end of a request (REQ-17).
  if (request.raw.httpVersion !== '1.1') throw new RefusedError('method_not_allowed', 'only HTTP/1.1 is served here');
  request.caller = await identify(callers, guard, request, reply);
  if (callers.asksForCredentials) request.sharer = request.caller.principal;
  if (access === undefined || !request.caller.roles.has(access)) {
    const granted = access === 'audit:read' && !callers.asksForCredentials ? GRANTED_WITHOUT_CALLERS : '';
    throw new RefusedError('forbidden', `this call needs the role ${access}, which the caller does not have${granted}`);
  }
}

/** The caller of a route that is not public. */
export function callerOf(request: FastifyRequest): Caller {
  if (request.caller === null) throw new RefusedError('unauthorized', 'the caller is not known');
  return request.caller;
}

function requirePlainHeaders(request: FastifyRequest): void {
  const { rawHeaders, headers, httpVersion } = request.raw;
  if (rawHeaders.length > MAX_RAW_HEADERS) throw new RefusedError('headers_too_large', 'too many headers');
  if (headers.host === undefined && httpVersion !== '1.0')
    throw new FormatError('schema', 'the host header is missing');
  refuseRepeated(rawHeaders);
}

function refuseRepeated(rawHeaders: readonly string[]): void {
  const seen = new Set<string>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? '';
    if (!SINGLE_HEADERS.has(name)) continue;
    if (seen.has(name)) throw new FormatError('schema', `the header ${name} appears twice`);
    seen.add(name);
  }
}

function refuseUnknown({ methods, nothingHere }: Guard, request: FastifyRequest, reply: FastifyReply): never {
  const [path = ''] = request.url.split('?', 1);
  const served = [path, ...patternsOf(path)].find((known) => methods.has(known));
  const allowed = served === undefined ? undefined : methods.get(served);
  if (allowed === undefined) throw new RefusedError('not_found', nothingAt(path, methods) ?? nothingHere);
  const listed = allowed.join(', ');
  reply.header('allow', listed);
  const call = asCall(path);
  const hint = methods.get(call)?.includes(request.method)
    ? `; did you mean ${request.method} ${call}?`
    : `: use ${listed}`;
  throw new RefusedError('method_not_allowed', `${request.method} is not served at this path${hint}`);
}

/** Replaces the last slash of a path by a colon. */
function asCall(path: string): string {
  return path.replace(/\/([^/:]+)$/, ':$1');
}

/** Possible route patterns of a path: the last part without its call, or the part before it, is a parameter. */
function patternsOf(path: string): readonly string[] {
  return [
    path.replace(/\/[^/:]+(:[^/:]+)?$/, '/:id$1'),
    path.replace(/\/[^/:]+$/, '/:sha256'),
    path.replace(/\/[^/:]+(\/[^/:]+)$/, '/:keyId$1'),
  ];
}

/** Suggests calls with a similar path; null if there are none. */
function nothingAt(path: string, methods: Guard['methods']): string | null {
  const calls = [...methods.keys()].filter((known) => !known.includes('*'));
  const name = path.split('/').findLast((part) => part !== '') ?? '';
  const call = asCall(path);
  const meant = patternsOf(call).find((known) => methods.has(known));
  const names = meant === undefined ? nearNames(`/${name}`, calls) : [meant];
  const near = names.map((known) => `${methods.get(known)?.[0]} ${known.replace(/:(id|keyId|sha256)/, '{$1}')}`);
  return near.length === 0 ? null : `nothing is at this path; did you mean ${near.slice(0, 2).join(' or ')}?`;
}

/** Failed attempts of others at the same address never cause the refusal of a valid credential. */
async function identify(
  callers: CallerDirectory,
  { failures, tracer }: Guard,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Caller> {
  try {
    const shown = { headers: request.headers, clientCertificate: () => clientCertificateOf(request.raw.socket) };
    return await tracer.span('identify caller', () => callers.identify(shown));
  } catch (error) {
    if (error instanceof RefusedError && error.code === 'unauthorized') {
      if (error.endsConnection) reply.header('connection', 'close');
      await failures.take(request);
      reply.header('www-authenticate', 'Bearer');
    }
    throw error;
  }
}

/** The caller of a public route, if the request identifies one; null if it does not, or the keys are unavailable. */
async function knownCaller(
  callers: CallerDirectory,
  { failures }: Guard,
  request: FastifyRequest,
): Promise<Caller | null> {
  const { headers, httpVersion } = request.raw;
  const isSent = headers.authorization !== undefined || headers['x-api-key'] !== undefined;
  const certificate = clientCertificateOf(request.raw.socket);
  const isShown = isSent || certificate !== null;
  if (httpVersion !== '1.1' || (callers.asksForCredentials && !isShown)) return null;
  try {
    return await callers.identify({ headers: request.headers, clientCertificate: () => certificate });
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    // The failure counts. But the limit must not refuse a probe, and a certificate need not belong to a caller.
    if (isSent && error.code === 'unauthorized') await failures.take(request).catch(() => undefined);
    return null;
  }
}

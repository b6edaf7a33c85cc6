import { METHODS } from 'node:http';
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import { FormatError, RefusedError } from '../../core/errors.js';
import { type GatePass, GateRefusal, type GateUseCase } from '../../core/gate.js';
import type { Log } from '../../core/ports.js';
import type { Metrics } from '../../telemetry/metrics.js';
import { GATE_PATH, parseGateTarget } from '../gate-target.js';
import { discardBody } from '../json-bodies.js';
import type { OwnRate } from '../load-limits.js';
import { presentedReceipt } from '../presented-receipt.js';

/** Every method that a proxy may receive. CONNECT is no request to a service. */
const EVERY_METHOD = METHODS.filter((method) => method !== 'CONNECT');

/** Registers the methods that the framework lacks. Other routes reject them as before. */
export function takeEveryMethod(application: FastifyInstance): void {
  const { supportedMethods } = application;
  for (const method of EVERY_METHOD) if (!supportedMethods.includes(method)) application.addHttpMethod(method);
}

interface GateRouteDependencies {
  readonly gates: GateUseCase;
  readonly metrics: Pick<Metrics, 'gateAnswered'>;
  readonly log: Log;
  readonly rate: OwnRate;
  /** Body limit. Twice as many bytes are dropped before the connection closes. */
  readonly bodyBytes: number;
}

/**
 * `/authorize/{gate}/*`, any method: whether a proxy may let a request through. Answers only 200 or 403, also after any
 * error, since proxies treat other statuses differently. Does not read bodies.
 *
 * Served under every host name: a page whose name resolves to this machine learns only what it already has, or 403.
 */
export function gateRoute(dependencies: GateRouteDependencies): RouteOptions {
  const { gates, rate, log } = dependencies;
  return {
    method: [...EVERY_METHOD],
    url: GATE_PATH,
    // The hook of the general limits would run after the answer.
    config: { access: 'public', anyHost: true, rateLimit: false },
    // Before the framework reads the body or its content type.
    onRequest: async (request, reply) => {
      await rate.take(request);
      const pass = await openGate(gates, request);
      note(dependencies, request, { code: null, decisionId: pass.decisionId });
      return reply.code(200).headers(headersOf(pass)).send();
    },
    errorHandler: (error, request, reply) => {
      note(dependencies, request, { code: codeOf(error), decisionId: null });
      if (codeOf(error) === 'internal_error') log.error({ requestId: request.id, err: error }, 'request failed');
      reply.code(403).send();
    },
    handler: (_request, reply) => reply.code(403).send(),
  };
}

async function openGate(gates: GateUseCase, { raw, originalUrl, method }: FastifyRequest): Promise<GatePass> {
  // Intermediaries with other versions may disagree with the service about the end of a request (REQ-17).
  if (raw.httpVersion !== '1.1') throw new GateRefusal('gate_protocol', 'only HTTP/1.1 is served here');
  // A cache may send a GET in its place, and answer a later GET from that.
  if (method === 'HEAD') throw new GateRefusal('gate_method', 'HEAD is not served at a gate: ask with GET');
  return gates.open({ ...parseGateTarget(originalUrl), ...presentedReceipt(raw.rawHeaders), method });
}

/** Records the answer for log and metrics, and drops the rest of the request, so that the client reads the answer. */
function note(
  { gates, metrics, bodyBytes }: GateRouteDependencies,
  request: FastifyRequest,
  came: { readonly code: string | null; readonly decisionId: string | null },
): void {
  request.gate = { gate: gateName(gates, request), ...came };
  metrics.gateAnswered(request.gate);
  if (!request.raw.complete) discardBody(request.raw, 2 * bodyBytes);
}

/** A UUID and an instant, without text of a client. */
function headersOf({ decisionId, expiresAt }: GatePass) {
  return { 'x-veritee-decision-id': decisionId, 'x-veritee-expires': expiresAt };
}

function codeOf(error: unknown): string {
  const isKnown = error instanceof GateRefusal || error instanceof RefusedError || error instanceof FormatError;
  return isKnown ? error.code : 'internal_error';
}

/** The name of an existing gate: the log never has names that a client made up. */
function gateName(gates: GateUseCase, { originalUrl }: FastifyRequest): string | null {
  try {
    const { gate } = parseGateTarget(originalUrl);
    return gates.has(gate) ? gate : null;
  } catch {
    return null;
  }
}

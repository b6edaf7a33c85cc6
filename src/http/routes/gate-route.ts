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

/** Whatever a client may ask a proxy for. CONNECT is no request to a service. */
const EVERY_METHOD = METHODS.filter((method) => method !== 'CONNECT');

/** Makes the framework know the methods that it does not by itself. Routes that do not have them refuse them as before. */
export function takeEveryMethod(application: FastifyInstance): void {
  const { supportedMethods } = application;
  for (const method of EVERY_METHOD) if (!supportedMethods.includes(method)) application.addHttpMethod(method);
}

interface GateRouteDependencies {
  readonly gates: GateUseCase;
  readonly metrics: Pick<Metrics, 'gateAnswered'>;
  readonly log: Log;
  readonly rate: OwnRate;
  /** Twice as much of a body is dropped before its connection ends. */
  readonly bodyBytes: number;
}

/**
 * `/authorize/{gate}/*`, any method: whether a proxy may let a request through. 200 or 403 and nothing else, whatever is wrong
 * and wherever it shows, since proxies take other statuses in other ways. Bodies are not read.
 *
 * Under every host name: a page that has its own name resolve to this machine learns what it knew, or 403.
 */
export function gateRoute(dependencies: GateRouteDependencies): RouteOptions {
  const { gates, rate, log } = dependencies;
  return {
    method: [...EVERY_METHOD],
    url: GATE_PATH,
    // The hook of the limits of all routes would run after the answer.
    config: { access: 'public', anyHost: true, rateLimit: false },
    // Before the framework looks at the body, or at what its header says that it is.
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
  // In another version, those between client and service may not agree where a request ends (REQ-17).
  if (raw.httpVersion !== '1.1') throw new GateRefusal('gate_protocol', 'only HTTP/1.1 is served here');
  // On its way a cache may make a GET of it, and a GET of it again.
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

/** A UUID and an instant: nothing that a client wrote. */
function headersOf({ decisionId, expiresAt }: GatePass) {
  return { 'x-veritee-decision-id': decisionId, 'x-veritee-expires': expiresAt };
}

function codeOf(error: unknown): string {
  const isKnown = error instanceof GateRefusal || error instanceof RefusedError || error instanceof FormatError;
  return isKnown ? error.code : 'internal_error';
}

/** Of a gate that there is: names that a client made up are not written. */
function gateName(gates: GateUseCase, { originalUrl }: FastifyRequest): string | null {
  try {
    const { gate } = parseGateTarget(originalUrl);
    return gates.has(gate) ? gate : null;
  } catch {
    return null;
  }
}

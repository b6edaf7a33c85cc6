import { Readable } from 'node:stream';
import type { FastifyRequest, RouteOptions } from 'fastify';
import { RefusedError } from '../../model/errors.js';
import type { Log } from '../../model/ports.js';
import type { Caller } from '../../model/request.js';
import type { Span, Tracer } from '../../model/traces.js';
import type { VerifyEvidenceUseCase } from '../../service/verify-evidence.js';
import { presentDecision } from '../../wire/present-decision.js';
import { presentProblem } from '../../wire/problem.js';
import { requireFittingRequest, splitBatch } from '../../wire/read-batch.js';
import type { RequestLimits } from '../../wire/read-body.js';
import { readBatchQuery, type VerifyQuery } from '../../wire/read-query.js';
import { readVerifyRequest } from '../../wire/read-requests.js';
import { callerOf } from '../access.js';
import { asTheyCome, inOrder, type Turns } from '../items-of-batch.js';
import { acceptedTypes, bodyOf, JSON_CALL, JSON_TYPE, requireJsonBody } from '../json-bodies.js';
import type { BatchLimit, OwnRate } from '../load-limits.js';
import type { Metrics } from '../metrics.js';
import { queryOf } from '../queries.js';
import { writeItem } from '../request-log.js';
import { decisionAttributes } from '../request-traces.js';
import type { VerificationSlots } from '../verification-slots.js';

/** A request a line (RFC 8259 texts, each ended by a line feed). */
const LINES_TYPE = 'application/jsonl';
/** Other clients' name of the same. */
const OTHER_LINES_TYPE = 'application/x-ndjson';
/** What takes JSON. The empty one: nothing is asked for. */
const TAKES_JSON = ['application/json', 'application/*', '*/*', ''];

export interface BatchRouteDependencies {
  readonly verifyEvidence: VerifyEvidenceUseCase;
  readonly slots: VerificationSlots;
  readonly batches: BatchLimit;
  /** Of all batches together. */
  readonly turns: Turns;
  readonly rate: OwnRate;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly tracer: Tracer;
  readonly limits: RequestLimits;
  /** Longest batch, and longest request in it, bytes. */
  readonly batchBytes: number;
  readonly bodyBytes: number;
}

/** What one request of a batch would have been answered by itself. */
interface ItemAnswer {
  readonly status: number;
  readonly body: object;
}

/** `POST /verify:batch`: up to 256 /verify bodies, each judged by itself. */
export function batchRoute(dependencies: BatchRouteDependencies): RouteOptions {
  const { batches, batchBytes } = dependencies;
  return {
    ...JSON_CALL,
    // A colon begins a parameter; two are one.
    url: '/verify::batch',
    bodyLimit: batchBytes,
    config: { ...JSON_CALL.config, bodyLimitKey: 'limits.batchBytes' },
    onRequest: (request, reply, done) => {
      requireJsonBody(request);
      requireTypePossible(request);
      // Before the body is read: that is what many batches at once would fill the memory with.
      batches.enter(callerOf(request).principal, [reply.raw, request.raw.socket]);
      done();
    },
    handler: async (request, reply) => {
      const query = readBatchQuery(queryOf(request));
      const requests = splitBatch(bodyOf(request));
      const run = (index: number) =>
        asStep(dependencies, request, (span) =>
          answerOf(dependencies, request, query, { index, body: requests[index] ?? NOTHING, span }),
        );
      const asLines = wantsLines(request);
      const chunks = asLines ? lines(requests.length, run) : results(requests.length, run);
      return reply.type(asLines ? LINES_TYPE : JSON_TYPE).send(Readable.from(chunks, { highWaterMark: 1 }));
    },
  };
}

const NOTHING = new Uint8Array(0);

function wantsLines(request: FastifyRequest): boolean {
  return acceptedTypes(request).some((type) => type === LINES_TYPE || type === OTHER_LINES_TYPE);
}

/** Before anything is judged, so that no challenge is used up for an answer that the client does not take. */
function requireTypePossible(request: FastifyRequest): void {
  if (wantsLines(request) || acceptedTypes(request).some((type) => TAKES_JSON.includes(type))) return;
  throw new RefusedError('not_acceptable', `a batch is answered as application/json or ${LINES_TYPE}`);
}

type Run = (index: number) => Promise<ItemAnswer>;

async function* results(count: number, run: Run): AsyncGenerator<string> {
  let before = '{"results":[';
  for await (const answer of inOrder(count, run)) {
    yield before + JSON.stringify(answer);
    before = ',';
  }
  yield ']}';
}

async function* lines(count: number, run: Run): AsyncGenerator<string> {
  for await (const { index, value } of asTheyCome(count, run)) yield `${JSON.stringify({ index, ...value })}\n`;
}

/** Items are asked for as the client takes their answers, by events of the connection. */
function asStep<T>(
  { tracer }: BatchRouteDependencies,
  { span: whole }: FastifyRequest,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  const step = () => tracer.span('batch item', work);
  return whole === null ? step() : whole.within(step);
}

/** Never rejects: what is wrong with one request is the answer of that one. */
async function answerOf(
  dependencies: BatchRouteDependencies,
  request: FastifyRequest,
  query: VerifyQuery,
  { index, body, span }: { readonly index: number; readonly body: Uint8Array; readonly span: Span },
): Promise<ItemAnswer> {
  const { log, metrics } = dependencies;
  const caller = callerOf(request);
  span.set({ 'veritee.item': index });
  try {
    const { decision, audience } = await judge(dependencies, request, caller, body);
    metrics.decided(decision, caller.tenant);
    span.set(decisionAttributes(decision));
    writeItem(log, request, { index, decision, audience });
    return { status: 200, body: presentDecision(decision, { ...query, policies: caller.policies }) };
  } catch (error) {
    const { status, document } = presentProblem(error, null);
    span.set({ 'error.type': document.code });
    if (status === 500) log.error({ requestId: request.id, index, err: error }, 'request failed');
    writeItem(log, request, { index, problem: { code: document.code, pointer: document.pointer ?? null } });
    return { status, body: document };
  }
}

async function judge(
  { turns, rate, slots, verifyEvidence, limits, bodyBytes }: BatchRouteDependencies,
  request: FastifyRequest,
  caller: Caller,
  body: Uint8Array,
) {
  await turns.next();
  await rate.take(request);
  return slots.run(request.sharer, async () => {
    requireFittingRequest(body, bodyBytes);
    const asked = { ...readVerifyRequest(body, limits), body };
    return { decision: await verifyEvidence.execute(asked, caller), audience: asked.audience };
  });
}

import type { ServerResponse } from 'node:http';
import type { JsonValue } from '../../src/core/json.js';
import type { LabAnswer } from './lab-server.js';

/** Faults of an answer. `half_open` never answers; `drip` sends one byte a second. */
export type LabFault =
  | { readonly status: number; readonly retryAfter?: string; readonly body?: JsonValue }
  | SpoiltAnswer
  | 'half_open';

/** Faults of an answer that is otherwise the genuine one. */
type SpoiltAnswer = 'drip' | 'content_type' | 'garbage' | 'oversize' | 'redirect';

const OVERSIZE_CHUNK = Buffer.alloc(64 * 1024, 0x30);
const GARBAGE = Buffer.alloc(900, 0x5a);

/** @param genuine makes the answer that is spoilt; a fault that needs none leaves it unmade */
export async function answerWithFault(
  response: ServerResponse,
  fault: LabFault,
  genuine: () => LabAnswer | Promise<LabAnswer>,
): Promise<void> {
  if (fault === 'half_open') return;
  if (typeof fault === 'string') SPOILT[fault](response, await genuine());
  else answerWithStatus(response, fault);
}

function answerWithStatus(response: ServerResponse, { status, retryAfter, body }: Exclude<LabFault, string>): void {
  response.writeHead(status, {
    ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

const SPOILT: { readonly [fault in SpoiltAnswer]: (response: ServerResponse, genuine: LabAnswer) => void } = {
  drip: (response, { status = 200, contentType, body }) =>
    drip(response.writeHead(status, { 'content-type': contentType }), Buffer.from(body)),
  content_type: (response, { status = 200, body }) =>
    response.writeHead(status, { 'content-type': 'text/html' }).end(body),
  garbage: (response, { contentType }) => response.writeHead(200, { 'content-type': contentType }).end(GARBAGE),
  oversize: (response, { contentType }) => pour(response.writeHead(200, { 'content-type': contentType })),
  redirect: (response) => response.writeHead(302, { location: 'http://169.254.169.254/latest' }).end(),
};

function drip(response: ServerResponse, body: Uint8Array): void {
  let sent = 0;
  const timer = setInterval(() => response.write(body.subarray(sent, ++sent)), 1_000);
  response.write(body.subarray(sent, ++sent));
  response.on('close', () => clearInterval(timer));
}

/** Without Content-Length and without an end. */
function pour(response: ServerResponse): void {
  const more = () => {
    while (!response.destroyed && response.write(OVERSIZE_CHUNK));
  };
  response.on('drain', more);
  more();
}

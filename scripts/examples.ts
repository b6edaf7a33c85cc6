import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { JsonObject, JsonValue } from '../src/core/json.js';
import type { Clock } from '../src/core/ports.js';
import { type ExampleObject, requestExamplesOf, startDefaultService } from '../test/contract/request-examples.js';
import { createAmdPki } from '../test/lab/amd-pki.js';
import { applicationEvent, buildEventLog, firmwareEvents, replayEvents } from '../test/lab/event-log-builder.js';
import { createVirtualMachine } from '../test/lab/virtual-machine.js';
import { readOpenapi } from './generate.js';

/**
 * The examples of openapi.yaml that are in files. The requests were recorded once, since keys and signatures differ each
 * time (`tsx scripts/examples.ts` makes others); the answers are what the service says of them today.
 */

/** When the requests were made, and when the service that answers has them. */
const MADE_AT = new Date('2026-11-27T12:00:00Z');

/** Stands for ids, which differ from answer to answer. */
const DECISION_ID = '019bc1f0-5a3c-7b52-9d9f-3a0e8d0f5c11';

/** Where the hardware report is in an Azure one, bytes. */
const HARDWARE_REPORT = { start: 32, end: 32 + 1184 };

const REQUESTS = {
  verify: 'examples/verify-request.json',
  report: 'examples/inspect-report-request.json',
  eventLog: 'examples/inspect-event-log-request.json',
  structure: 'examples/inspect-structure-request.json',
};

/** The VCEK of that request, as a service gives it out that fetched it. */
const ENDORSEMENT = 'examples/endorsement-answer.json';

const inProject = (path: string) => new URL(`../${path}`, import.meta.url);

async function recordRequests(): Promise<void> {
  const vm = await createVirtualMachine({ pki: createAmdPki({ at: MADE_AT }) });
  const nonce = Buffer.from('0123456789abcdef'.repeat(4), 'hex');
  const evidence = vm.wireEvidence({ nonce });
  write(REQUESTS.verify, { evidence, nonce: base64url(nonce) });
  const { vek = null } = evidence['endorsements'] as JsonObject;
  write(REQUESTS.structure, { type: 'bytes', value: vek });
  const { der } = vm.platform.vek;
  const sha256 = createHash('sha256').update(der).digest('hex');
  write(ENDORSEMENT, { kind: 'vcek', sha256, value: base64url(der) });
  const report = vm.hclReport({ nonce }).subarray(HARDWARE_REPORT.start, HARDWARE_REPORT.end);
  write(REQUESTS.report, { type: 'snp', report: base64url(report) });
  const events = [...firmwareEvents().filter(({ pcr }) => pcr === 4 || pcr === 7), applicationEvent('shim')];
  const replayed = replayEvents(events, 'sha256');
  const pcrs = Object.fromEntries([4, 7].map((pcr) => [pcr, Buffer.from(replayed.get(pcr) ?? []).toString('hex')]));
  const log = base64url(buildEventLog(events, { banks: ['sha256'] }));
  write(REQUESTS.eventLog, { type: 'event-log', log, pcrs: { sha256: pcrs } });
}

/** Writes the answers of a service of today to the recorded requests. */
export async function recordAnswers(): Promise<void> {
  const clock: Clock = { now: () => MADE_AT, monotonicMs: () => performance.now() };
  const service = await startDefaultService(clock);
  try {
    for (const { path, request, answer } of requestExamplesOf(readOpenapi() as unknown as JsonObject)) {
      if (answer.externalValue === undefined) continue;
      const body = JSON.stringify(exampleValue(request));
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(service.url + path, { method: 'POST', headers, body });
      if (response.status !== 200) throw new Error(`${path} answers ${response.status}: ${await response.text()}`);
      write(answer.externalValue, withFixedId((await response.json()) as JsonObject));
    }
  } finally {
    await service.close();
  }
}

function exampleValue({ value, externalValue }: ExampleObject): JsonValue {
  return externalValue === undefined ? (value ?? null) : JSON.parse(readFileSync(inProject(externalValue), 'utf8'));
}

function withFixedId(answer: JsonObject): JsonObject {
  return 'decisionId' in answer ? { ...answer, decisionId: DECISION_ID } : answer;
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}

function write(path: string, value: JsonObject): void {
  writeFileSync(inProject(path), `${JSON.stringify(value, null, 2)}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await recordRequests();

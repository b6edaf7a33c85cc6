import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_SLOTS } from '../../src/judge/verification-slots.js';
import { Client, verdictFor } from '../system/client.js';
import { Lab, type Question } from '../system/lab.js';
import { ServiceProcess } from '../system/service-process.js';
import { openLocalStore } from '../unit/log/local-store.js';
import { percentile } from './figures.js';
import { Load, type RawFailure, type RawOutcome, rawRequest } from './open-loop.js';
import { report, scaledSeconds } from './scale.js';

/** A service that is asked ten times as much as it can do, and then is told to stop. */

/** Few at a time, and as many as are judged at a time, so that none waits and none is refused. */
const [FEW_CLIENTS, NORMAL_CLIENTS] = [16, DEFAULT_SLOTS.running];
const TIMES = 10;
/** Fewer than the service takes, with room for those who ask beside. */
const LANES = 2_000;
const [WARM_UP_S, NORMAL_S, OVERLOAD_S] = [scaledSeconds(10, 2), scaledSeconds(15, 3), scaledSeconds(60, 5)];
const MIB = 1024 * 1024;
/** `--memory` and `MemoryMax` of the examples. */
const RESIDENT = 512 * MIB;

let lab: Lab;
let service: ServiceProcess;
let asked: readonly (readonly [Question, Buffer])[];

beforeAll(async () => {
  lab = await Lab.create();
  service = await ServiceProcess.start(await lab.command({ log: { level: 'warn' } }), { cwd: lab.workFolder });
  asked = lab.questions.map((question) => [question, rawRequest(question.body)]);
});

afterAll(async () => {
  await service.close();
  await lab.close();
});

/** Results of requests: times of those that were verified, the number of refused ones, and all that must not occur. */
class Tally {
  readonly judgedMs: number[] = [];
  readonly wrong: unknown[] = [];
  readonly unanswered: RawFailure[] = [];
  shed = 0;
  /** Requests whose bodies were read too slowly: the process was busy. */
  late = 0;
  /** Decisions that stayed open, or whose record came too late: what would have been an allow did not leave. */
  withheld = 0;

  take(question: Question, outcome: RawOutcome, ms: number): void {
    if ('error' in outcome) {
      this.unanswered.push(outcome);
      return;
    }
    const body = JSON.parse(outcome.body);
    if (outcome.status === 503 && body.code === 'overloaded' && /^retry-after: [1-9]\d*$/im.test(outcome.head)) {
      this.shed += 1;
      return;
    }
    if (outcome.status === 408) {
      this.late += 1;
      return;
    }
    const verdict = { decision: body.decision, reasons: body.reasons };
    if (outcome.status === 200 && isWithheld(question, body.decision, body.reasons)) this.withheld += 1;
    else if (outcome.status === 200 && JSON.stringify(verdict) === JSON.stringify(verdictFor(question)))
      this.judgedMs.push(ms);
    else this.wrong.push([question.decision, outcome.status, body.code ?? verdict]);
  }
}

/** Whether nothing is said but that there was no time: to decide, or to store what was decided. */
function isWithheld(question: Question, decision: string, reasons: readonly string[]): boolean {
  const others = reasons.filter((reason) => reason !== 'deadline' && reason !== 'audit_unavailable');
  if (reasons.includes('deadline')) return decision === 'indeterminate' && others.length === 0;
  const expected = question.decision === 'allow' ? 'indeterminate' : question.decision;
  return others.length < reasons.length && decision === expected && others.join() === question.reasons.join();
}

/** Decisions in the log of the service, which has ended. */
function decisionsStored(): number {
  const store = openLocalStore(join(lab.workFolder, 'data', 'veritee.db'));
  try {
    return store.file.number('SELECT COUNT(*) FROM decisions', []);
  } finally {
    store.file.close();
  }
}

function loadOf(tally: Tally, lanes: number): Promise<Load> {
  let turn = 0;
  return Load.open({
    port: service.port,
    lanes,
    next: () => {
      const [question, request] = asked[turn++ % asked.length] ?? [];
      if (question === undefined || request === undefined) throw new Error('the lab has no questions');
      return { request, ended: (outcome, ms) => tally.take(question, outcome, ms) };
    },
  });
}

/** Clients that each ask as soon as they are answered. */
async function inTurns(clients: number, seconds: number): Promise<Tally> {
  const tally = new Tally();
  const load = await loadOf(tally, clients);
  await load.inTurns(forSeconds(seconds));
  load.close();
  return tally;
}

function forSeconds(seconds: number): () => boolean {
  const until = performance.now() + seconds * 1000;
  return () => performance.now() > until;
}

/** Requests that must never be refused, over a connection of their own: statuses that are not 200. */
async function watchProbes(isOver: () => boolean): Promise<readonly unknown[]> {
  const client = new Client(service.url, 1);
  const others: unknown[] = [];
  while (!isOver()) {
    for (const path of ['/livez', '/readyz', '/metrics']) {
      const outcome = await client.get(path);
      if (!('status' in outcome) || outcome.status !== 200) others.push([path, outcome]);
    }
    await sleep(1_000);
  }
  client.close();
  return others;
}

/** The most that was ever in memory, bytes. */
function mostResident(): number {
  const status = readFileSync(`/proc/${service.pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

describe('a service under ten times the load that it can take', () => {
  it('decides rightly what it admits, tells all others to come again, and answers all of it when it is stopped', async () => {
    const before = await inTurns(FEW_CLIENTS, WARM_UP_S);
    const few = await inTurns(FEW_CLIENTS, NORMAL_S);
    const normal = await inTurns(NORMAL_CLIENTS, NORMAL_S);
    for (const { late, shed: none, wrong, unanswered } of [before, few, normal]) {
      expect([late, none, wrong, unanswered]).toEqual([0, 0, [], []]);
    }
    expect(normal.judgedMs.length).toBeGreaterThan(0);
    const capacity = normal.judgedMs.length / NORMAL_S;

    const over = new Tally();
    const overload = await loadOf(over, LANES);
    const clientDelay = monitorEventLoopDelay({ resolution: 10 });
    clientDelay.enable();
    const isOver = forSeconds(OVERLOAD_S);
    let isStopped = false;
    const loading = overload.atRate(TIMES * capacity, () => isStopped);
    const probes = await watchProbes(isOver);
    const [judged, shed, sent, resident] = [[...over.judgedMs], over.shed, overload.sent, mostResident()];
    clientDelay.disable();
    // Still under the same load.
    service.signal('SIGTERM');
    const { exitCode, signal, stderr } = await service.end();
    isStopped = true;
    await loading;
    overload.close();

    const [p99, normalP99] = [percentile(judged, 99), percentile(normal.judgedMs, 99)];
    const figures = (ms: readonly number[]) =>
      `${percentile(ms, 50).toFixed(0)} ms, p99 ${percentile(ms, 99).toFixed(0)} ms`;
    report(`Overload: ${TIMES} times capacity for ${OVERLOAD_S} s`, [
      `capacity           ${capacity.toFixed(0)} requests a second, ${NORMAL_CLIENTS} at a time`,
      `asked              ${(sent / OVERLOAD_S).toFixed(0)} a second: ${(sent / OVERLOAD_S / capacity).toFixed(1)} times capacity (${overload.notSent} more found no connection)`,
      `judged             ${(judged.length / OVERLOAD_S).toFixed(0)} a second`,
      `shed               ${((100 * shed) / (shed + judged.length)).toFixed(1)} % of the answers, each with Retry-After`,
      `time of the judged p50 ${figures(judged)}: ${(p99 / normalP99).toFixed(1)} times the normal p99 (aim: at most 2)`,
      `  the client       late by p50 ${(clientDelay.percentile(50) / 1e6).toFixed(0)} ms, p99 ${(clientDelay.percentile(99) / 1e6).toFixed(0)} ms, which is in that time`,
      `  normally         p50 ${figures(normal.judgedMs)}, ${NORMAL_CLIENTS} at a time`,
      `  with few         p50 ${figures(few.judgedMs)}, ${FEW_CLIENTS} at a time`,
      `given up           ${over.late} with 408, since their bodies were not read in time`,
      `withheld           ${over.withheld}, since there was no time to decide, or to store what was decided`,
      `memory             ${(resident / MIB).toFixed(0)} MiB at most`,
      `while stopping     ${over.judgedMs.length - judged.length} judged, ${over.shed - shed} shed, ${over.unanswered.length} connections not taken`,
    ]);
    expect(over.wrong).toEqual([]);
    expect(probes).toEqual([]);
    expect(judged.length).toBeGreaterThan(0);
    expect(resident).toBeLessThan(RESIDENT);
    expect({ exitCode, signal, stderr }).toEqual({ exitCode: 0, signal: null, stderr: '' });
    expect(await service.leavesNothing()).toBe(true);
    // No answer was cut off, and nothing was decided that nobody was told of.
    expect(over.unanswered.filter(({ begun }) => begun)).toEqual([]);
    const tallies = [before, few, normal, over];
    const told = tallies.reduce((sum, { judgedMs }) => sum + judgedMs.length, 0);
    const withheld = tallies.reduce((sum, tally) => sum + tally.withheld, 0);
    expect(decisionsStored()).toBeGreaterThanOrEqual(told);
    expect(decisionsStored()).toBeLessThanOrEqual(told + withheld);
  });
});

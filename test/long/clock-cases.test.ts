import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningService } from '../../src/app/service.js';
import { LabService, lenientPolicy, MovableClock, post } from '../integration/service/lab-service.js';
import { healthOf, outcomeOf } from './dependency.js';
import { EXPECTED_CLOCK_OUTCOMES } from './expected-outcomes.js';
import { report } from './scale.js';

/** The clock of the service against monotonic time: what is answered after a jump, and from when on it judges again. */

const SECOND_MS = 1_000;
const HOUR_MS = 3_600 * SECOND_MS;
/** How far from the time at which it may judge again the service is asked: a busy machine takes some of it. */
const MARGIN_MS = 10 * SECOND_MS;

interface ClockCase {
  readonly jump: (clock: MovableClock) => void;
  /** When the service may judge again, after the jump; null if it goes on judging. */
  readonly again: { readonly afterMs: number; readonly putRight?: (clock: MovableClock) => void } | null;
}

const by = (milliseconds: number) => (clock: MovableClock) => clock.setBy(milliseconds);

const CASES: ReadonlyMap<string, ClockCase> = new Map([
  ['59 s ahead', { jump: by(59 * SECOND_MS), again: null }],
  ['59 s back', { jump: by(-59 * SECOND_MS), again: null }],
  ['61 s on, monotonic time as well', { jump: (clock) => clock.advance(61 * SECOND_MS), again: null }],
  ['61 s ahead', { jump: by(61 * SECOND_MS), again: { afterMs: 60 * SECOND_MS } }],
  ['a day ahead', { jump: by(24 * HOUR_MS), again: { afterMs: 60 * SECOND_MS } }],
  ['61 s back', { jump: by(-61 * SECOND_MS), again: { afterMs: 61 * SECOND_MS } }],
  ['6 h back', { jump: by(-6 * HOUR_MS), again: { afterMs: 6 * HOUR_MS } }],
  ['6 h back, and put right', { jump: by(-6 * HOUR_MS), again: { afterMs: 0, putRight: by(6 * HOUR_MS) } }],
]);

const [HEAD = '', ...ROWS] = EXPECTED_CLOCK_OUTCOMES.trim().split('\n');
const COLUMNS = ['/livez', '/readyz', 'POST /verify', 'POST /challenges', 'judges again'].map((name) =>
  HEAD.indexOf(name),
);
const labelOf = (row: string) => row.slice(0, COLUMNS[0]).trim();

const seen: string[] = [];
let lab: LabService;
let services = 0;

beforeAll(async () => {
  lab = await LabService.create();
  await lab.writePolicy(lenientPolicy('lenient'));
});

afterAll(async () => {
  await lab.close();
  report('Clock', [HEAD, ...seen]);
});

const verify = async (service: RunningService) => outcomeOf(await lab.verify(service));

async function issue({ url }: RunningService): Promise<string> {
  const answer = await post(url, '/challenges', '{}');
  return answer.status === 200 ? '200' : outcomeOf(answer);
}

/** From when on it judges, as far as it is where it was expected. */
async function judgesAgain(service: RunningService, clock: MovableClock, { again }: ClockCase): Promise<string> {
  if (again === null) return '-';
  const { afterMs, putRight } = again;
  let goneMs = 0;
  for (const atMs of [Math.max(0, afterMs - MARGIN_MS), afterMs + MARGIN_MS]) {
    if (atMs === afterMs + MARGIN_MS) putRight?.(clock);
    clock.advance(atMs - goneMs);
    goneMs = atMs;
    const health = await healthOf(service);
    const [outcome, issued] = [await verify(service), await issue(service)];
    const isOver = atMs > afterMs;
    const expected = isOver ? ['allow', '200', 200, 200] : ['indeterminate clock', '503 clock', 200, 503];
    // A process whose clock stays behind asks to be started again.
    if (!isOver && atMs > 600 * SECOND_MS) expected[2] = 503;
    const answers = [outcome, issued, ...health];
    if (answers.join() !== expected.join()) return `after ${atMs / 1000} s: ${answers.join(', ')}`;
  }
  return `after ${afterMs / 1000} s`;
}

function rowOf(label: string, cells: readonly string[]): string {
  return cells.reduce((row, cell, index) => row.padEnd(COLUMNS[index] ?? 0) + cell, label);
}

describe('the clock of the service', () => {
  it('has an expectation for each case, and no other', () => {
    expect(ROWS.map(labelOf)).toEqual([...CASES.keys()]);
  });

  it.each([...CASES])('FRS-10 %s: readiness, decisions and challenges are as the table says', async (label, one) => {
    const clock = new MovableClock();
    services += 1;
    const service = await lab.start({}, { clock }, `clock-${services}`);
    expect(await verify(service)).toBe('allow');
    one.jump(clock);
    // In this order: the first of them has to see the jump by itself.
    const outcome = await verify(service);
    const [live, ready] = await healthOf(service);
    const row = rowOf(label, [
      String(live),
      String(ready),
      outcome,
      await issue(service),
      await judgesAgain(service, clock, one),
    ]);
    seen.push(row);
    expect(row).toBe(ROWS.find((expected) => labelOf(expected) === label));
    await lab.stop();
  });
});

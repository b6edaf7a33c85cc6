import { describe, expect, it } from 'vitest';
import { AddedFigures } from '../../../src/http/added-figures.js';
import { Metrics } from '../../../src/http/metrics.js';

const answered = { method: 'GET', route: '/livez', status: 200, seconds: 0.01 };

/** Figures of a process that has answered so many requests. */
async function figuresAfter(requests: number) {
  const metrics = new Metrics();
  metrics.watchPolicies(() => true);
  for (let count = 0; count < requests; count++) metrics.requestAnswered(answered);
  const figures = await metrics.figures();
  metrics.close();
  // As they come from another process.
  return structuredClone(figures);
}

const lineOf = (text: string, start: string) => text.split('\n').filter((line) => line.startsWith(start));
const COUNT = 'veritee_http_request_duration_seconds_count';
const BUCKET = 'veritee_http_request_duration_seconds_bucket{le="0.025"';

describe('Metrics of several workers', () => {
  it('are added up where they count, and labelled where they are gauges', async () => {
    const added = new AddedFigures(() => 2, 2);
    const text = await added.text(
      new Map([
        [1, await figuresAfter(3)],
        [2, await figuresAfter(4)],
      ]),
    );
    expect(lineOf(text, COUNT)).toEqual([`${COUNT}{method="GET",route="/livez",status="200"} 7`]);
    expect(lineOf(text, BUCKET)).toEqual([`${BUCKET},method="GET",route="/livez",status="200"} 7`]);
    expect(lineOf(text, 'veritee_policies_current')).toEqual([
      'veritee_policies_current{worker="1"} 1',
      'veritee_policies_current{worker="2"} 1',
    ]);
    expect(lineOf(text, 'veritee_workers')).toEqual(['veritee_workers_configured 2', 'veritee_workers 2']);
  });

  it('count on what a worker had counted that has ended, and begin anew with the one in its place', async () => {
    const added = new AddedFigures(() => 1, 2);
    await added.text(new Map([[1, await figuresAfter(3)]]));
    added.lost(1);
    const alone = await added.text(new Map());
    expect(lineOf(alone, COUNT)).toEqual([`${COUNT}{method="GET",route="/livez",status="200"} 3`]);
    expect(lineOf(alone, 'veritee_policies_current')).toEqual([]);
    expect(lineOf(alone, 'veritee_worker_crashes_total')).toEqual(['veritee_worker_crashes_total 1']);
    const again = await added.text(new Map([[1, await figuresAfter(2)]]));
    expect(lineOf(again, COUNT)).toEqual([`${COUNT}{method="GET",route="/livez",status="200"} 5`]);
    added.lost(1);
    const twice = await added.text(new Map([[1, await figuresAfter(1)]]));
    expect(lineOf(twice, COUNT)).toEqual([`${COUNT}{method="GET",route="/livez",status="200"} 6`]);
  });

  it('say that a reload was put in force nowhere, until one is', async () => {
    const added = new AddedFigures(() => 1, 2);
    added.reloaded(false);
    const failed = await added.text(new Map());
    expect(failed).toContain('veritee_reload_failed_total{part="all workers"} 1\n');
    expect(failed).toContain('veritee_last_reload_successful{part="all workers"} 0\n');
    added.reloaded(true);
    expect(await added.text(new Map())).toContain('veritee_last_reload_successful{part="all workers"} 1\n');
  });

  it('are those that a worker last gave, where it does not answer now', async () => {
    const added = new AddedFigures(() => 1, 2);
    await added.text(new Map([[1, await figuresAfter(3)]]));
    expect(lineOf(await added.text(new Map()), COUNT)).toEqual([
      `${COUNT}{method="GET",route="/livez",status="200"} 3`,
    ]);
  });
});

import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { HEALTH_CODES } from '../../../src/core/health.js';
import { type DescribedMetric, Metrics } from '../../../src/telemetry/metrics.js';
import { PROJECT, readProjectFile } from '../../architecture/project-files.js';
import { isLacking } from '../../requirements.js';
import { ALERT_CASES, type AlertSeries } from './alert-cases.js';
import { call, LabService } from './lab-service.js';
import { readExpression, type Selector } from './promql.js';

/** deploy/monitoring and docs/operations.md against what a service exports. */

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<string, string>>;
}

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

const RULES = 'deploy/monitoring/prometheus-rules.yaml';
const ALERTS: readonly Alert[] = parse(readProjectFile(RULES)).groups.flatMap(
  ({ rules }: { readonly rules: readonly Alert[] }) => rules,
);
const DASHBOARD = JSON.parse(readProjectFile('deploy/monitoring/grafana-dashboard.json'));
const PANELS: readonly Panel[] = DASHBOARD.panels.filter(({ type }: Panel) => type !== 'row');
const OPERATIONS = readProjectFile('docs/operations.md');

const NO_SLOTS = { running: 0, computing: 0, waiting: 0 };

/** Metrics with all that a service watches. */
function describedMetrics(): readonly DescribedMetric[] {
  const metrics = new Metrics();
  metrics.watchBuild('');
  metrics.watchReadiness({ execute: async () => ({ ready: true, problems: [] }) });
  metrics.watchVerifications(() => ({ ...NO_SLOTS, limits: NO_SLOTS }));
  metrics.watchFetches(() => []);
  metrics.watchFetched(async () => []);
  metrics.watchOrigins(() => []);
  metrics.watchState('policies', () => true);
  metrics.watchState('decisionStore', () => true);
  metrics.watchState('challengeStore', () => true);
  metrics.watchResetMemory(() => 0);
  metrics.watchEndings(() => ({ apiKeys: [], certificates: [], endorsements: [], waivers: [] }));
  const described = metrics.described();
  metrics.close();
  return described;
}

const DESCRIBED = describedMetrics();

/** Added to every series by Prometheus, when it scrapes. */
const OF_SCRAPES = ['job', 'instance'];

/** Labels of each series that there is, by its name. `up` is made by Prometheus. */
const SERIES: ReadonlyMap<string, readonly string[]> = new Map([
  ['up', OF_SCRAPES],
  ...DESCRIBED.flatMap(({ name, type, labels }): (readonly [string, readonly string[]])[] => {
    const all = [...OF_SCRAPES, ...labels];
    if (type !== 'histogram') return [[name, all]];
    return [
      [`${name}_bucket`, [...all, 'le']],
      [`${name}_count`, all],
      [`${name}_sum`, all],
    ];
  }),
]);

/** The possible values of a label, if they are fixed. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  code: HEALTH_CODES,
  state: ['running', 'waiting', 'refused', 'unavailable', 'released', 'not_attempted'],
  outcome: ['allow', 'deny', 'indeterminate', 'answered'],
  kind: ['crl', 'tdx-collateral', 'token-keys'],
  source: ['cache', 'network'],
};

/** Faults of an expression; none if each metric and label in it exists. */
function problemsOf(expr: string): readonly string[] {
  const { selectors, grouping } = readExpression(expr);
  if (selectors.length === 0) return ['selects nothing'];
  const known = selectors.flatMap(({ name }) => SERIES.get(name) ?? []);
  return [
    ...selectors.flatMap(({ name }) => (SERIES.has(name) ? [] : [`there is no metric ${name}`])),
    ...selectors.flatMap(matcherProblems),
    ...grouping.flatMap((label) => (known.includes(label) ? [] : [`there is no label ${label}`])),
  ];
}

function matcherProblems({ name, matchers }: Selector): readonly string[] {
  return matchers.flatMap(([label, operator, value]) => {
    if (SERIES.get(name)?.includes(label) === false) return [`${name} has no label ${label}`];
    const values = VALUES[label];
    const wanted = operator.includes('~') ? value.split('|') : [value];
    return wanted
      .filter((each) => values?.includes(each) === false)
      .map((each) => `${label} of ${name} is never ${each}`);
  });
}

/** Labels that a text for people names. */
const namedLabels = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, label = '']) => label);

const GRAFANA = /\{\{(\w+)\}\}/g;
const PROMETHEUS = /\{\{ \$labels\.(\w+) \}\}/g;

let lab: LabService;

beforeAll(async () => {
  lab = await LabService.create();
});

afterAll(() => lab.close());

describe('the metrics of a running service', () => {
  it('are the ones that are described', async () => {
    const service = await lab.start();
    const { body } = await call(service.url, '/metrics');
    const running = [...String(body).matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => `${name} ${type}`);
    expect(running.sort()).toEqual(DESCRIBED.map(({ name, type }) => `${name} ${type}`).sort());
  });
});

describe('an expression', () => {
  it.each([
    ['sum(veritee_nothing_total)', ['there is no metric veritee_nothing_total']],
    ['sum by (nobody) (veritee_decisions_total)', ['there is no label nobody']],
    ['veritee_decisions_total{nobody="x"}', ['veritee_decisions_total has no label nobody']],
    ['veritee_readiness_problem{code="none"}', ['code of veritee_readiness_problem is never none']],
    ['1 + 1', ['selects nothing']],
  ])('with a mistake is found: %s', (expr, problems) => {
    expect(problemsOf(expr)).toEqual(problems);
  });

  it('that does not parse is found', () => {
    expect(() => problemsOf('sum(veritee_decisions_total')).toThrow('does not parse');
  });
});

describe('the dashboard', () => {
  it.each(PANELS.flatMap(({ title, targets = [] }) => targets.map((target) => [title, target] as const)))(
    'shows what there is: %s',
    (_title, { expr, legendFormat }) => {
      expect(problemsOf(expr)).toEqual([]);
      const { selectors } = readExpression(expr);
      const labels = selectors.flatMap(({ name }) => SERIES.get(name) ?? []);
      for (const label of namedLabels(legendFormat, GRAFANA)) expect(labels).toContain(label);
    },
  );

  it('shows every metric of the service', () => {
    const shown = PANELS.flatMap(({ targets = [] }) =>
      targets.flatMap(({ expr }) => readExpression(expr).selectors.map(({ name }) => name)),
    );
    const missing = DESCRIBED.filter(({ name, type }) => {
      return !shown.includes(type === 'histogram' ? `${name}_bucket` : name);
    });
    expect(missing.map(({ name }) => name)).toEqual([]);
  });

  it('has a title and a unit for each panel, one id each, and no two in one place', () => {
    const all: readonly { readonly id: number; readonly title: string; readonly gridPos: object }[] = DASHBOARD.panels;
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    expect(new Set(all.map(({ gridPos }) => JSON.stringify(gridPos))).size).toBe(all.length);
    expect(all.filter(({ title }) => title === '')).toEqual([]);
  });
});

describe('the alerts', () => {
  it.each(ALERTS.map((alert) => [alert.alert, alert] as const))('%s asks for what there is', (_name, alert) => {
    expect(problemsOf(alert.expr)).toEqual([]);
    const { selectors } = readExpression(alert.expr);
    const labels = selectors.flatMap(({ name }) => SERIES.get(name) ?? []);
    const { summary = '', description = '' } = alert.annotations;
    for (const label of namedLabels(description, PROMETHEUS)) expect(labels).toContain(label);
    expect([summary, description]).not.toContain('');
    expect(['critical', 'warning']).toContain(alert.labels.severity);
  });

  it('each have a runbook, and each runbook an alert', () => {
    const [, runbooks = ''] = OPERATIONS.split('\n## Alerts\n');
    const sections = [...runbooks.matchAll(/^### (\w+)$/gm)].map(([, name]) => name);
    expect(sections).toEqual(ALERTS.map(({ alert }) => alert));
    for (const { alert, annotations } of ALERTS) {
      expect(annotations['runbook']).toBe(`docs/operations.md#${alert.toLowerCase()}`);
    }
  });

  it('have runbooks that say what to look at, and what to do', () => {
    const [, ...sections] = OPERATIONS.split('\n## Alerts\n')[1]?.split(/^### /m) ?? [];
    for (const section of sections) {
      const parts = namedLabels(section, /^\*\*([^*]+)\.\*\* \S/gm);
      expect([section.split('\n', 1)[0], parts]).toEqual([
        section.split('\n', 1)[0],
        ['What to look at', 'What to do'],
      ]);
    }
  });

  it('each have a case in which they fire', () => {
    const tried = new Set(ALERT_CASES.map(({ alert }) => alert));
    expect(ALERTS.map(({ alert }) => alert).filter((alert) => !tried.has(alert))).toEqual([]);
  });
});

const PROMTOOL = { what: 'promtool', command: ['promtool', '--version'] };

describe.skipIf(isLacking('alerts in promtool', [PROMTOOL]))('the alerts in promtool', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'veritee-alerts-'));
  });

  afterAll(() => rm(folder, { recursive: true }));

  const promtool = (...args: readonly string[]) => spawnSync('promtool', args, { encoding: 'utf8' });

  it('are rules', () => {
    const { status, stdout, stderr } = promtool('check', 'rules', '--lint-fatal', join(PROJECT, RULES));
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`SUCCESS: ${ALERTS.length} rules found`);
  });

  const series = (given: readonly AlertSeries[], values: number) => {
    // A service that is down is an alert of its own.
    const scraped: readonly AlertSeries[] = given.some(([name]) => name === 'up') ? [] : [['up', '', `1x${values}`]];
    return [...scraped, ...given].map(([name, labels, shown]) => ({
      series: `${name}{job="veritee",instance="a"${labels === '' ? '' : `,${labels}`}}`,
      values: shown,
    }));
  };

  const expected = (at: number, fires: readonly string[]) => ({
    promql_expr_test: [
      {
        expr: 'group by (alertname) (ALERTS{alertstate="firing"})',
        eval_time: `${at}m`,
        exp_samples: fires.map((alert) => ({ labels: `{alertname="${alert}"}`, value: 1 })),
      },
    ],
  });

  /** Runs cases whose values are so many minutes apart. */
  async function run(step: number): Promise<readonly unknown[]> {
    const tests = ALERT_CASES.filter((each) => (each.step ?? 1) === step).flatMap(({ alert, at, fires, quiet }) => {
      const values = at / step + 1;
      return [
        { name: `${alert} fires`, input_series: series(fires, values), ...expected(at, [alert]) },
        { name: `${alert} does not fire`, input_series: series(quiet, values), ...expected(at, []) },
      ];
    });
    const nobody = { name: 'no target', input_series: [], ...expected(30, ['VeriteeDown']) };
    const file = join(folder, `alerts-${step}.json`);
    const content = {
      rule_files: [join(PROJECT, RULES)],
      evaluation_interval: `${step}m`,
      tests: [...tests, nobody].map((test) => ({ interval: `${step}m`, ...test })),
    };
    await writeFile(file, JSON.stringify(content));
    const { status, stdout, stderr } = promtool('test', 'rules', file);
    return [stderr, stdout.includes('SUCCESS'), status];
  }

  it.each([1, 10])(
    'fire when they should, each alone, and not otherwise: %i minutes apart',
    async (step) => {
      expect(await run(step)).toEqual(['', true, 0]);
    },
    120_000,
  );
});

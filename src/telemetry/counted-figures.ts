import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

const DURATION_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Counted where something happens, a row a figure: its kind, name, labels and help. */
const COUNTED = {
  requests: [
    Histogram,
    'veritee_http_request_duration_seconds',
    ['method', 'route', 'status'],
    'Time from the headers of a request to the last byte of its answer.',
  ],
  decisions: [
    Counter,
    'veritee_decisions_total',
    ['outcome', 'reason', 'evidence_type'],
    'Decisions by outcome, most important reason and type of evidence.',
  ],
  failedChecks: [Counter, 'veritee_checks_failed_total', ['check'], 'Checks that failed, by id.'],
  keyReleases: [
    Counter,
    'veritee_key_releases_total',
    ['key', 'state'],
    'Requests for a key, by the id of the key and by what came of them.',
  ],
  earlyFlips: [
    Counter,
    'veritee_early_collateral_flips_total',
    ['tenant', 'policy'],
    "Allowed by a policy and denied by it under Intel's early collateral, by tenant and policy.",
  ],
  shadowFlips: [
    Counter,
    'veritee_shadow_flips_total',
    ['tenant', 'policy', 'outcome', 'rule'],
    'Requests that a policy of policies.shadow would have decided otherwise, by tenant, policy, its outcome, and rule or check.',
  ],
  gateAnswers: [
    Counter,
    'veritee_gate_answers_total',
    ['gate', 'outcome'],
    'Requests at gates, by gate and outcome: allow, or the code of why not.',
  ],
  failedPolicyReloads: [
    Counter,
    'veritee_policy_reload_failed_total',
    [],
    'Policy reloads that were refused; the previous policies stay in force.',
  ],
  droppedRecords: [
    Counter,
    'veritee_decision_records_dropped_total',
    [],
    'Records of decisions that were dropped, since too many waited to be stored; their answers said audit_unavailable.',
  ],
  failedReloads: [
    Counter,
    'veritee_reload_failed_total',
    ['part'],
    'Reloads that kept the previous state of a part because something in it was wrong, by part.',
  ],
  reloadTimes: [
    Gauge,
    'veritee_last_reload_timestamp_seconds',
    ['part'],
    'When a part was last read, successfully or not: at start, or at a reload. Seconds since 1970.',
  ],
  reloadResults: [
    Gauge,
    'veritee_last_reload_successful',
    ['part'],
    '1 if what was last read of a part is in force; 0 if its previous state is, because something in it was wrong.',
  ],
  policyDecisions: [
    Counter,
    'veritee_policy_decisions_total',
    ['tenant', 'policy', 'outcome', 'reason'],
    'Outcomes of single policies, by tenant, policy and most important reason.',
  ],
  usedEndorsements: [
    Counter,
    'veritee_endorsements_used_total',
    ['kind', 'source'],
    'Endorsements that decisions rested on, by kind and source: evidence, cache, store, network or carried.',
  ],
  stages: [
    Histogram,
    'veritee_stage_duration_seconds',
    ['stage'],
    'Time that the stages of requests took; judge has challenge and endorsements in it.',
  ],
} as const;

type CountedRows = typeof COUNTED;
type FigureOf<Kind, Label extends string> = Kind extends typeof Histogram
  ? Histogram<Label>
  : Kind extends typeof Gauge
    ? Gauge<Label>
    : Counter<Label>;
type Counted = { readonly [Key in keyof CountedRows]: FigureOf<CountedRows[Key][0], CountedRows[Key][2][number]> };

/** Makes them, each at zero. */
export function countedIn(registry: Registry): Counted {
  const figures = Object.entries(COUNTED).map(([key, [Kind, name, labelNames, help]]) => [
    key,
    new Kind({
      name,
      help,
      labelNames,
      registers: [registry],
      ...(Kind === Histogram ? { buckets: DURATION_BUCKETS } : {}),
    }),
  ]);
  return Object.fromEntries(figures) as Counted;
}

/** A series as `promtool test rules` writes it: one value a step. */
export type AlertSeries = readonly [name: string, labels: string, values: string];

/** When an alert fires, and a twin with which it does not. */
export interface AlertCase {
  readonly alert: string;
  /** Minutes between values; left out, one. */
  readonly step?: number;
  /** Minutes. */
  readonly at: number;
  readonly fires: readonly AlertSeries[];
  readonly quiet: readonly AlertSeries[];
}

const [COUNT, BUCKET] = ['veritee_http_request_duration_seconds_count', 'veritee_http_request_duration_seconds_bucket'];
const DECISIONS = 'veritee_decisions_total';
const DENIED = 'tenant="default",policy="p",outcome="deny",reason="snp_tcb_low"';
const COLLATERAL = 'kind="tdx-collateral",source="intel.pcs"';
const KEY_SETS = 'kind="token-keys",source="https://issuer.example"';
const latencies = (route: string, bound: string): readonly AlertSeries[] => [
  [BUCKET, `route="${route}",le="${bound}"`, '0+60x40'],
  [BUCKET, `route="${route}",le="+Inf"`, '0+60x40'],
];

const gauge = (alert: string, at: number, name: string, [labels, bad, good]: readonly [string, number, number]) => ({
  alert,
  at,
  fires: [[name, labels, `${bad}x90`]] as const,
  quiet: [[name, labels, `${good}x90`]] as const,
});

export const ALERT_CASES: readonly AlertCase[] = [
  gauge('VeriteeDown', 3, 'up', ['', 0, 1]),
  {
    alert: 'VeriteeRestarts',
    at: 45,
    fires: [['process_start_time_seconds', '', '100x10 200x10 300x10 400x20']],
    quiet: [['process_start_time_seconds', '', '100x10 200x40']],
  },
  {
    alert: 'VeriteeNotReady',
    at: 3,
    fires: [['veritee_readiness_problem', 'code="clock"', '1x9']],
    quiet: ['starting', 'stopping', 'nonce_store'].map((code) => [
      'veritee_readiness_problem',
      `code="${code}"`,
      '1x9',
    ]),
  },
  gauge('VeriteeChallengesNotIssued', 2, 'veritee_challenge_store_available', ['', 0, 1]),
  gauge('VeriteeDecisionsNotStored', 2, 'veritee_decision_store_available', ['', 0, 1]),
  ...(['_x20 1x9', '1x20 2x9'] as const).flatMap((values): AlertCase[] => [
    {
      alert: 'VeriteeInternalErrors',
      at: 25,
      fires: [[COUNT, 'status="500"', values]],
      quiet: [
        [COUNT, 'status="500"', '7x30'],
        [COUNT, 'status="503"', values],
      ],
    },
    {
      alert: 'VeriteeInternalErrors',
      at: 25,
      fires: [[DECISIONS, 'reason="internal_error"', values]],
      quiet: [
        [DECISIONS, 'reason="internal_error"', '7x30'],
        [DECISIONS, 'reason="deadline"', values],
      ],
    },
  ]),
  {
    alert: 'VeriteeQueueFull',
    at: 5,
    fires: [
      ['veritee_verifications', 'state="waiting"', '0 0 129 0 0 0'],
      ['veritee_verifications_limit', 'state="waiting"', '256x9'],
    ],
    quiet: [
      ['veritee_verifications', 'state="waiting"', '0 0 128 0 0 0'],
      ['veritee_verifications_limit', 'state="waiting"', '256x9'],
    ],
  },
  {
    alert: 'VeriteeRefuses',
    at: 20,
    fires: [
      [COUNT, 'route="/verify",status="503"', '0+6x40'],
      [COUNT, 'route="/verify",status="200"', '0+94x40'],
    ],
    quiet: [
      [COUNT, 'route="/verify",status="503"', '0+4x40'],
      [COUNT, 'route="/verify",status="200"', '0+96x40'],
      [COUNT, 'route="/readyz",status="503"', '0+100x40'],
    ],
  },
  {
    alert: 'VeriteeSlow',
    at: 30,
    fires: [[BUCKET, 'route="/verify",le="2.5"', '0+10x40'], ...latencies('/verify', '5')],
    quiet: [...latencies('/verify', '1'), [BUCKET, 'route="/metrics",le="2.5"', '0x40'], ...latencies('/metrics', '5')],
  },
  gauge('VeriteeEventLoopLate', 10, 'nodejs_eventloop_lag_p99_seconds', ['', 0.3, 0.1]),
  gauge('VeriteeMemoryHigh', 20, 'process_resident_memory_bytes', ['', 500_000_000, 400_000_000]),
  {
    alert: 'VeriteeManyUndecided',
    at: 30,
    fires: [
      [DECISIONS, 'outcome="indeterminate"', '0+1x40'],
      [DECISIONS, 'outcome="allow"', '0+9x40'],
    ],
    quiet: [
      [DECISIONS, 'outcome="indeterminate"', '0+1x40'],
      [DECISIONS, 'outcome="allow"', '0+99x40'],
    ],
  },
  {
    alert: 'VeriteeManyDenied',
    step: 10,
    at: 1_500,
    fires: [['veritee_policy_decisions_total', DENIED, '0x143 0+10x9']],
    quiet: [['veritee_policy_decisions_total', DENIED, '0+10x160']],
  },
  gauge('VeriteeSourceOut', 20, 'veritee_origin_reachable', ['host="kds.example"', 0, 1]),
  ...(
    [
      // Before the 48 hours after which no key is released.
      ['VeriteeNotRenewed', 'veritee_fetched_endorsement_age_seconds', 140_000, 100_000],
      ['VeriteeFetchedEnds', 'veritee_fetched_endorsement_expiry_seconds', 200_000, 300_000],
    ] as const
  ).map(
    ([alert, name, bad, good]): AlertCase => ({
      alert,
      at: 70,
      fires: [[name, COLLATERAL, `${bad}x90`]],
      quiet: [
        [name, COLLATERAL, `${good}x90`],
        [name, KEY_SETS, `${bad}x90`],
      ],
    }),
  ),
  gauge('VeriteeFolderEnds', 1, 'veritee_endorsement_expiry_seconds', [
    'key="amd.chains",file="a.crl"',
    600_000,
    700_000,
  ]),
  gauge('VeriteeReloadRefused', 2, 'veritee_last_reload_successful', ['part="roots"', 0, 1]),
  gauge('VeriteeApiKeyEnds', 1, 'veritee_api_key_expiry_seconds', ['caller="ci",key="current"', -1, 1_300_000]),
  gauge('VeriteeCertificateEnds', 1, 'veritee_certificate_expiry_seconds', [
    'file="listen.tls.cert"',
    1_200_000,
    1_300_000,
  ]),
  gauge('VeriteeWaiverEnds', 1, 'veritee_waiver_expiry_seconds', ['policy="p",waiver="0"', 1_200_000, 1_300_000]),
  ...(['_x20 1x9', '1x20 2x9'] as const).map(
    (values): AlertCase => ({
      alert: 'VeriteeEarlyCollateralDenies',
      at: 25,
      fires: [['veritee_early_collateral_flips_total', 'tenant="default",policy="p"', values]],
      quiet: [],
    }),
  ),
  {
    alert: 'VeriteeEarlyCollateralDenies',
    step: 10,
    at: 3_000,
    fires: [['veritee_early_collateral_flips_total', 'tenant="default",policy="p"', '1x299 2x2']],
    quiet: [['veritee_early_collateral_flips_total', 'tenant="default",policy="p"', '1x302']],
  },
  {
    alert: 'VeriteeResetMemoryFails',
    at: 15,
    fires: [['veritee_tpm_reset_memory_failures_total', '', '0x10 1x9']],
    quiet: [['veritee_tpm_reset_memory_failures_total', '', '1x20']],
  },
  ...['refused', 'unavailable'].map(
    (state): AlertCase => ({
      alert: 'VeriteeKeysNotReleased',
      at: 15,
      fires: [['veritee_key_releases_total', `key="db",state="${state}"`, '0x10 1x9']],
      quiet: [['veritee_key_releases_total', 'key="db",state="released"', '0x10 1x9']],
    }),
  ),
];

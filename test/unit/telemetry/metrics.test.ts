import { describe, expect, it } from 'vitest';
import type { Decision } from '../../../src/core/decision.js';
import { HEALTH_CODES, type HealthProblem } from '../../../src/core/health.js';
import { Metrics } from '../../../src/telemetry/metrics.js';
import { ALLOW, DENY } from '../../integration/http/fake-service.js';

const decide = (metrics: Metrics, decision: Decision) => metrics.decided(decision, 'red');

describe('metrics', () => {
  it('count decisions by outcome, first reason and evidence type, and failed checks by id', async () => {
    const metrics = new Metrics();
    decide(metrics, ALLOW);
    decide(metrics, DENY);
    decide(metrics, { ...DENY, reasons: ['cert_untrusted', 'snp_debug'] });
    const text = await metrics.text();
    expect(text).toContain('veritee_decisions_total{outcome="allow",reason="none",evidence_type="snp"} 1\n');
    expect(text).toContain('veritee_decisions_total{outcome="deny",reason="snp_signature",evidence_type="snp"} 1\n');
    expect(text).toContain('veritee_decisions_total{outcome="deny",reason="cert_untrusted",evidence_type="snp"} 1\n');
    expect(text).toContain('veritee_checks_failed_total{check="snp_signature"} 2\n');
    metrics.close();
  });

  it('measure requests by method, route and status', async () => {
    const metrics = new Metrics();
    metrics.requestAnswered({ method: 'POST', route: '/verify', status: 200, seconds: 0.004 });
    metrics.requestAnswered({ method: 'GET', route: null, status: 404, seconds: 0.001 });
    const text = await metrics.text();
    const name = 'veritee_http_request_duration_seconds';
    expect(text).toContain(`${name}_bucket{le="0.0025",method="POST",route="/verify",status="200"} 0\n`);
    expect(text).toContain(`${name}_bucket{le="0.005",method="POST",route="/verify",status="200"} 1\n`);
    expect(text).toContain(`${name}_count{method="GET",route="none",status="404"} 1\n`);
    metrics.close();
  });

  it('count requests at gates by gate and outcome', async () => {
    const metrics = new Metrics();
    metrics.gateAnswered({ gate: 'web', code: null });
    metrics.gateAnswered({ gate: 'web', code: 'receipt_time' });
    metrics.gateAnswered({ gate: null, code: 'gate_unknown' });
    const text = await metrics.text();
    expect(text).toContain('veritee_gate_answers_total{gate="web",outcome="allow"} 1\n');
    expect(text).toContain('veritee_gate_answers_total{gate="web",outcome="receipt_time"} 1\n');
    expect(text).toContain('veritee_gate_answers_total{gate="none",outcome="gate_unknown"} 1\n');
    metrics.close();
  });

  it('DLG-03 count records of decisions that were dropped, and show zero before the first', async () => {
    const metrics = new Metrics();
    expect(await metrics.text()).toContain('veritee_decision_records_dropped_total 0\n');
    metrics.recordDropped();
    expect(await metrics.text()).toContain('veritee_decision_records_dropped_total 1\n');
    metrics.close();
  });

  it('count refused reloads of the policies, and show zero before the first', async () => {
    const metrics = new Metrics();
    expect(await metrics.text()).toContain('veritee_policy_reload_failed_total 0\n');
    metrics.policyReloadFailed();
    expect(await metrics.text()).toContain('veritee_policy_reload_failed_total 1\n');
    metrics.close();
  });

  it('count failed reloads by part, and show zero of the common ones before the first', async () => {
    const metrics = new Metrics();
    const parts = [
      'policies',
      'roots',
      'receipt keys',
      'callers and listen.tls',
      'amd.chains',
      'intel.collateral',
      'tpm.intermediates',
    ];
    for (const part of parts) {
      expect(await metrics.text()).toContain(`veritee_reload_failed_total{part="${part}"} 0\n`);
    }
    metrics.policyReloadFailed();
    metrics.reloadFailed('amd.chains');
    expect(await metrics.text()).toContain('veritee_reload_failed_total{part="policies"} 1\n');
    expect(await metrics.text()).toContain('veritee_reload_failed_total{part="amd.chains"} 1\n');
    metrics.close();
  });

  it('count by policy what early collateral would deny of what is allowed, and nothing else', async () => {
    const metrics = new Metrics();
    const policy = (id: string, outcome: 'allow' | 'deny') => ({
      id,
      version: 1,
      sha256: 'ab'.repeat(32),
      outcome,
      matched: [],
      unmatched: [],
    });
    const shadow = (id: string, outcome: 'allow' | 'deny', collateral: 'early' | 'standard') => ({
      ...policy(id, outcome),
      reasons: [],
      collateral,
      expectedFrom: null,
    });
    decide(metrics, {
      ...DENY,
      policies: [policy('a', 'allow'), policy('b', 'deny'), policy('c', 'allow')],
      shadow: [
        ...['a', 'b', 'next'].map((id) => shadow(id, 'deny', 'early')),
        shadow('c', 'allow', 'early'),
        shadow('c', 'deny', 'standard'),
      ],
    });
    const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith('veritee_early'));
    expect(lines).toEqual(['veritee_early_collateral_flips_total{tenant="red",policy="a"} 1']);
    metrics.close();
  });

  it('show when the first certificate of each file ends', async () => {
    const metrics = new Metrics();
    const [cert, clientCa] = ['listen.tls.cert', 'listen.tls.clientCa'];
    const certificates = [
      { file: cert, seconds: 60 },
      { file: clientCa, seconds: 10 },
      { file: clientCa, seconds: -5 },
      { file: clientCa, seconds: 20 },
    ];
    metrics.watchEndings(() => ({ apiKeys: [], waivers: [], endorsements: [], certificates }));
    const text = await metrics.text();
    expect(text).toContain(`veritee_certificate_expiry_seconds{file="${cert}"} 60\n`);
    expect(text).toContain(`veritee_certificate_expiry_seconds{file="${clientCa}"} -5\n`);
    metrics.close();
  });

  it('show when the first endorsement of each file in a folder ends', async () => {
    const metrics = new Metrics();
    const [amd, intel] = ['amd.chains', 'intel.collateral'];
    const endorsements = [
      { key: amd, file: 'a', seconds: 60 },
      { key: amd, file: 'a', seconds: -5 },
      { key: intel, file: 'a', seconds: 20 },
    ];
    metrics.watchEndings(() => ({ apiKeys: [], waivers: [], certificates: [], endorsements }));
    const text = await metrics.text();
    expect(text).toContain(`veritee_endorsement_expiry_seconds{key="${amd}",file="a"} -5\n`);
    expect(text).toContain(`veritee_endorsement_expiry_seconds{key="${intel}",file="a"} 20\n`);
    metrics.close();
  });

  it('show whether the newest policies are in force', async () => {
    const metrics = new Metrics();
    let areCurrent = true;
    metrics.watchState('policies', () => areCurrent);
    expect(await metrics.text()).toContain('veritee_policies_current 1\n');
    areCurrent = false;
    expect(await metrics.text()).toContain('veritee_policies_current 0\n');
    metrics.close();
  });

  it('show how often the memory of vTPM resets could not be used', async () => {
    const metrics = new Metrics();
    let failures = 0;
    metrics.watchResetMemory(() => failures);
    expect(await metrics.text()).toContain('veritee_tpm_reset_memory_failures_total 0\n');
    failures = 3;
    expect(await metrics.text()).toContain('veritee_tpm_reset_memory_failures_total 3\n');
    metrics.close();
  });

  it('count outcomes by policy and reason, and endorsements by kind and source', async () => {
    const metrics = new Metrics();
    const result = { version: 1, sha256: 'ab'.repeat(32), matched: [], unmatched: [] };
    decide(metrics, {
      ...DENY,
      policies: [
        { ...result, id: 'strict', outcome: 'deny' },
        { ...result, id: 'lenient', outcome: 'allow' },
      ],
      endorsements: (['cache', 'cache', 'network'] as const).map((source) => ({
        kind: 'vcek',
        sha256: 'ab'.repeat(32),
        source,
        notAfter: null,
        fetchedAt: null,
        revocation: 'good',
      })),
    });
    const text = await metrics.text();
    const decisions = 'veritee_policy_decisions_total';
    expect(text).toContain(`${decisions}{tenant="red",policy="strict",outcome="deny",reason="snp_signature"} 1\n`);
    expect(text).toContain(`${decisions}{tenant="red",policy="lenient",outcome="allow",reason="none"} 1\n`);
    expect(text).toContain('veritee_endorsements_used_total{kind="vcek",source="cache"} 2\n');
    expect(text).toContain('veritee_endorsements_used_total{kind="vcek",source="network"} 1\n');
    metrics.close();
  });

  it('measure stages', async () => {
    const metrics = new Metrics();
    metrics.stageDone('sign', 0.004);
    const text = await metrics.text();
    expect(text).toContain('veritee_stage_duration_seconds_bucket{le="0.0025",stage="sign"} 0\n');
    expect(text).toContain('veritee_stage_duration_seconds_bucket{le="0.005",stage="sign"} 1\n');
    metrics.close();
  });

  it('show what runs', async () => {
    const metrics = new Metrics();
    metrics.watchBuild('1.2.3');
    expect(await metrics.text()).toContain(`veritee_build_info{version="1.2.3",node_version="${process.version}"} 1\n`);
    metrics.close();
  });

  it('show of each part when it was last read, and whether it is in force', async () => {
    const metrics = new Metrics();
    const [time, result] = ['veritee_last_reload_timestamp_seconds', 'veritee_last_reload_successful'];
    const timeOf = async (part: string) => {
      return Number(new RegExp(`^${time}\\{part="${part}"\\} (\\S+)$`, 'm').exec(await metrics.text())?.[1]);
    };
    const before = Date.now() / 1000;
    expect(await timeOf('policies')).toBeGreaterThan(before - 60);
    expect(await metrics.text()).toContain(`${result}{part="policies"} 1\n`);
    metrics.policyReloadFailed();
    metrics.reloadFailed('roots');
    expect(await timeOf('policies')).toBeGreaterThanOrEqual(before);
    expect(await metrics.text()).toContain(`${result}{part="policies"} 0\n`);
    expect(await metrics.text()).toContain(`${result}{part="roots"} 0\n`);
    metrics.reloaded('roots');
    expect(await metrics.text()).toContain(`${result}{part="roots"} 1\n`);
    metrics.close();
  });

  it('show what stands against readiness, each code that there is', async () => {
    const metrics = new Metrics();
    const problems: HealthProblem[] = [];
    metrics.watchReadiness({ execute: async () => ({ ready: problems.length === 0, problems }) });
    const shown = async () => (await metrics.text()).match(/^veritee_readiness_problem\{.*$/gm);
    const line = (code: string, value: number) => `veritee_readiness_problem{code="${code}"} ${value}`;
    expect(await shown()).toEqual(HEALTH_CODES.map((code) => line(code, 0)));
    problems.push({ code: 'clock', reason: 'x' });
    expect(await shown()).toEqual(HEALTH_CODES.map((code) => line(code, code === 'clock' ? 1 : 0)));
    metrics.close();
  });

  it('show the queue of verifications, and its limits', async () => {
    const metrics = new Metrics();
    metrics.watchVerifications(() => ({
      running: 3,
      computing: 1,
      waiting: 2,
      limits: { running: 256, computing: 32, waiting: 128 },
    }));
    const text = await metrics.text();
    expect(text).toContain('veritee_verifications{state="running"} 3\n');
    expect(text).toContain('veritee_verifications{state="computing"} 1\n');
    expect(text).toContain('veritee_verifications{state="waiting"} 2\n');
    expect(text).toContain('veritee_verifications_limit{state="running"} 256\n');
    expect(text).toContain('veritee_verifications_limit{state="computing"} 32\n');
    expect(text).toContain('veritee_verifications_limit{state="waiting"} 128\n');
    metrics.close();
  });

  it('count attempts to reach origins by how they ended', async () => {
    const metrics = new Metrics();
    metrics.watchFetches(() => [
      { host: 'kds.example', outcome: 'answered', count: 7 },
      { host: 'kds.example', outcome: 'timeout', count: 2 },
    ]);
    for (let reads = 0; reads < 2; reads++) {
      const text = await metrics.text();
      expect(text).toContain('veritee_fetches_total{host="kds.example",outcome="answered"} 7\n');
      expect(text).toContain('veritee_fetches_total{host="kds.example",outcome="timeout"} 2\n');
    }
    metrics.close();
  });

  it('show the oldest of what was fetched, and the first to end', async () => {
    const metrics = new Metrics();
    const list = { kind: 'crl', source: 'amd.kds' };
    metrics.watchFetched(async () => [
      { ...list, ageSeconds: 10, expirySeconds: 500 },
      { ...list, ageSeconds: 90, expirySeconds: 700 },
      { kind: 'tdx-collateral', source: 'intel.pcs', ageSeconds: 5, expirySeconds: -3 },
    ]);
    const text = await metrics.text();
    const name = 'veritee_fetched_endorsement';
    expect(text).toContain(`${name}_age_seconds{kind="crl",source="amd.kds"} 90\n`);
    expect(text).toContain(`${name}_expiry_seconds{kind="crl",source="amd.kds"} 500\n`);
    expect(text).toContain(`${name}_age_seconds{kind="tdx-collateral",source="intel.pcs"} 5\n`);
    expect(text).toContain(`${name}_expiry_seconds{kind="tdx-collateral",source="intel.pcs"} -3\n`);
    metrics.close();
  });

  it('are not added up where two read them at once', async () => {
    const metrics = new Metrics();
    metrics.watchFetches(() => [{ host: 'kds.example', outcome: 'answered', count: 7 }]);
    const texts = await Promise.all([metrics.text(), metrics.text(), metrics.text()]);
    for (const text of texts) expect(text).toContain('{host="kds.example",outcome="answered"} 7\n');
    metrics.close();
  });

  it('are described with their type and labels', () => {
    const metrics = new Metrics();
    const described = metrics.described();
    expect(described).toContainEqual({ name: 'veritee_stage_duration_seconds', type: 'histogram', labels: ['stage'] });
    expect(described).toContainEqual({ name: 'veritee_last_reload_successful', type: 'gauge', labels: ['part'] });
    expect(described).toContainEqual({ name: 'process_cpu_seconds_total', type: 'counter', labels: [] });
    metrics.close();
  });

  it('show figures of the process', async () => {
    const metrics = new Metrics();
    const text = await metrics.text();
    expect(text).toMatch(/^process_resident_memory_bytes \d{7,}$/m);
    expect(text).toMatch(/^process_cpu_seconds_total \d/m);
    expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds \d/m);
    metrics.close();
  });

  it('are of one service: another one in the process starts at zero', async () => {
    const [one, other] = [new Metrics(), new Metrics()];
    one.policyReloadFailed();
    expect(await other.text()).toContain('veritee_policy_reload_failed_total 0\n');
    one.close();
    other.close();
  });
});

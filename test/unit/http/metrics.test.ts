import { describe, expect, it } from 'vitest';
import { Metrics } from '../../../src/http/metrics.js';
import { ALLOW, DENY } from '../../integration/http/fake-service.js';

describe('metrics', () => {
  it('count decisions by outcome, first reason and evidence type, and failed checks by id', async () => {
    const metrics = new Metrics();
    metrics.decided(ALLOW);
    metrics.decided(DENY);
    metrics.decided({ ...DENY, reasons: ['cert_untrusted', 'snp_debug'] });
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
    metrics.decided({
      ...DENY,
      policies: [policy('a', 'allow'), policy('b', 'deny'), policy('c', 'allow')],
      shadow: [
        ...['a', 'b', 'next'].map((id) => shadow(id, 'deny', 'early')),
        shadow('c', 'allow', 'early'),
        shadow('c', 'deny', 'standard'),
      ],
    });
    const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith('veritee_early'));
    expect(lines).toEqual(['veritee_early_collateral_flips_total{policy="a"} 1']);
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
    metrics.watchPolicies(() => areCurrent);
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

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RunningService } from '../../../src/app/service.js';
import type { JsonObject, JsonValue } from '../../../src/core/json.js';
import {
  BearerTokens,
  createSnpGuest,
  createVirtualMachine,
  LabEntra,
  LabMaa,
  type MembersChange,
  type SnpGuestEvidenceOptions,
  type TokenMaking,
  wireEvidence,
} from '../../lab/index.js';
import {
  base64Url,
  call,
  challenge,
  lenientPolicy,
  MovableClock,
  NONCE,
  PKI,
  verdictOf,
  WITHOUT_ENDORSEMENTS,
} from './lab-service.js';
import {
  checksOf,
  isolation,
  maaResult,
  objectOf,
  RESULTS,
  resultsOf,
  runtime,
  TokenLab,
  verify,
} from './token-lab.js';

/** Evidence that the service sends to Azure Attestation itself, over HTTPS, and what becomes of the answer. */

const ATTEST = /^\/attest\/SevSnpVm\?/;
const OTHER_NONCE = new Uint8Array(32).fill(0x77);

let lab: TokenLab;
let service: RunningService;
let evidence: JsonObject;

beforeAll(async () => {
  lab = await TokenLab.create();
  await lab.service.writePolicy(
    lenientPolicy('best-effort', { routes: { maa: 'required' }, revocation: 'best-effort' }),
  );
  await lab.service.writePolicy(
    lenientPolicy('compliant', {
      routes: { maa: 'optional' },
      require: { maa: { complianceStatus: ['azure-compliant-cvm'], attestationType: ['sevsnpvm'] } },
    }),
  );
  service = await lab.startSubmitting({ historical: true });
  evidence = lab.evidence().wire;
});

beforeEach(() => {
  lab.maa.requests.length = 0;
  lab.maa.received.length = 0;
});

afterEach(async () => {
  lab.maa.alter(null);
  await Promise.all([lab.maa.heal(), lab.service.kds.heal()]);
});

afterAll(() => lab.close());

const ask = (policy: string, members: object = {}, on = service) => verify(on, evidence, { policy, ...members });
const submissions = () => lab.maa.received.filter(({ url }) => ATTEST.test(url));

describe('the record of a decision', () => {
  it('has the digest of a token that the service obtained, which the request did not have', async () => {
    const { body } = await ask('maa-required');
    const recorded = await call(service.url, `/decisions/${body.decisionId}`);
    expect(recorded.body.record.request).toMatchObject({
      attestationResults: [],
      obtainedTokens: [{ type: 'maa-token', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }],
    });
    const { body: without } = await ask('off');
    const other = await call(service.url, `/decisions/${without.decisionId}`);
    expect(other.body.record.request.obtainedTokens).toEqual([]);
  });
});

describe('a policy that wants the opinion of Azure Attestation', () => {
  it.each(['maa-required', 'maa-optional', 'compliant'])(
    'TOK-18 twin: allows where it agrees, under %s',
    async (policy) => {
      const answer = await ask(policy);
      expect(verdictOf(answer)).toEqual(['allow']);
      const { body } = answer;
      expect(body.crossCheck).toMatchObject({ routes: ['hardware', 'maa'], agree: true, differences: [] });
      // The very report of the request: then all of it can be compared.
      expect(body.crossCheck.equal).toEqual(
        expect.arrayContaining([
          'hcl.akThumbprint',
          'hcl.userData',
          'snp.reportData',
          'hcl.vmConfiguration.secureBoot',
        ]),
      );
      expect(body.claims.maa).toMatchObject({ issuer: lab.maa.issuer, attestationType: 'sevsnpvm' });
      expect(body.trust.submods.maa.status).toBe('affirming');
      expect(body.maaView['x-ms-attestation-type']).toBe('azurevm');
      expect(body.freshness.bound).toContain('maa.userData');
      expect(checksOf(answer, 'disagreement')).toMatchObject([{ result: 'pass', about: RESULTS }]);
      expect(submissions()).toHaveLength(1);
    },
  );

  it('sends the report, its chain and the runtime data, and a nonce of its own', async () => {
    await ask('maa-required');
    const [{ url, headers, body } = { url: '', headers: {}, body: '' }] = submissions();
    expect(url).toBe('/attest/SevSnpVm?api-version=2025-06-01');
    expect(headers.authorization).toBeUndefined();
    const sent = JSON.parse(body);
    expect(Object.keys(sent).sort()).toEqual(['nonce', 'report', 'runtimeData']);
    expect(sent.nonce).not.toBe(base64Url(NONCE));
    expect(body).not.toContain(base64Url(NONCE));
  });

  it.each<[string, SnpGuestEvidenceOptions]>([
    ['a bare report', {}],
    ['a bare report with JSON', { runtimeData: 'nonce' }],
  ])('has %s judged too', async (_, options) => {
    const guest = createSnpGuest({ pki: PKI, platform: lab.service.vm.platform });
    const wire = guest.wireEvidence({ nonce: NONCE, endorsements: WITHOUT_ENDORSEMENTS, ...options });
    const answer = await verify(service, wire, { policy: 'maa-required' });
    expect(verdictOf(answer)).toEqual(['allow']);
    expect(answer.body.crossCheck.equal).toContain('snp.reportData');
    expect(answer.body.maaView['x-ms-attestation-type']).toBe('sevsnpvm');
    expect(submissions()).toHaveLength(1);
  });

  it('makes a paravisor known that our list does not have', async () => {
    const vm = await createVirtualMachine({
      pki: PKI,
      platform: lab.service.vm.platform,
      vtpm: lab.service.vm.vtpm,
      report: { fields: { idKeyDigest: new Uint8Array(48).fill(0x5e) } },
    });
    const unknown = wireEvidence(vm.evidence({ nonce: NONCE, endorsements: WITHOUT_ENDORSEMENTS }));
    expect(verdictOf(await verify(service, unknown, { policy: 'maa-required' }))).toEqual(['deny', 'hcl_paravisor']);
    lab.maa.alter({ claims: { 'x-ms-compliance-status': 'azure-compliant-cvm' } });
    const answer = await verify(service, unknown, { policy: 'maa-required' });
    expect(verdictOf(answer)).toEqual(['allow']);
    expect(answer.body.claims.hcl.paravisor).toEqual({ known: true, by: 'maa' });
  });

  it('leaves a paravisor undecided that it could make known, where it is out of reach', async () => {
    const report = { fields: { idKeyDigest: new Uint8Array(48).fill(0x5e) } };
    const { platform, vtpm } = lab.service.vm;
    const vm = await createVirtualMachine({ pki: PKI, platform, vtpm, report });
    const unknown = wireEvidence(vm.evidence({ nonce: NONCE, endorsements: WITHOUT_ENDORSEMENTS }));
    lab.maa.fail(ATTEST, { status: 503 });
    const answer = await verify(service, unknown, { policy: 'maa-optional' });
    expect([...verdictOf(answer), answer.body.retryable]).toEqual(['indeterminate', 'hcl_paravisor', true]);
  });

  it('asks the next endpoint where the first is out of reach', async () => {
    const endpoints = [lab.open.origin, lab.maa.origin];
    const two = await lab.start({ ...lab.configuration(endpoints) }, {}, 'two-endpoints');
    await lab.open.connect('refused');
    const answer = await ask('maa-required', {}, two);
    await lab.open.connect('up');
    expect(verdictOf(answer)).toEqual(['allow']);
    expect(answer.body.claims.maa.issuer).toBe(lab.maa.issuer);
  });
});

describe('nothing is sent', () => {
  const expectNothingSent = () => expect(submissions()).toEqual([]);

  it('under a policy that wants no other opinion', async () => {
    expect(verdictOf(await ask('off'))).toEqual(['allow']);
    expectNothingSent();
  });

  it('under a policy that does not accept the evidence', async () => {
    await lab.service.writePolicy(lenientPolicy('bare', { accepts: ['snp'], routes: { maa: 'required' } }));
    const own = await lab.startSubmitting({}, {}, 'bare');
    expect(verdictOf(await ask('bare', {}, own))).toEqual(['deny', 'policy_evidence_type']);
    expectNothingSent();
  });

  it('where the configuration names nobody', async () => {
    const silent = await lab.start({}, {}, 'silent');
    expect(verdictOf(await ask('maa-required', {}, silent))).toEqual(['deny', 'route_missing']);
    expect(verdictOf(await ask('maa-optional', {}, silent))).toEqual(['allow']);
    expectNothingSent();
  });

  it('TOK-31 twin: where the guest supplied a token of the own instance that holds the nonce', async () => {
    const opinion = lab.evidence();
    const members = { policy: 'maa-required', ...maaResult(lab.guestToken(opinion)) };
    expect(verdictOf(await verify(service, opinion.wire, members))).toEqual(['allow']);
    expectNothingSent();
  });

  it('at a past instant', async () => {
    const at = new Date(Math.floor(Date.now() / 1000) * 1000 - 1000).toISOString();
    const answer = await ask('maa-optional', { at });
    expect([...verdictOf(answer), answer.body.historical]).toEqual(['allow', true]);
    const denied = await ask('maa-required', { at });
    expect(verdictOf(denied)).toEqual(['deny', 'route_missing']);
    expect(denied.body.checks.find(({ id }: { readonly id: string }) => id === 'route_missing')).toMatchObject({
      expected: 'maa',
      actual: 'not asked',
      detail:
        'no token was sent for the route maa, and none was requested, because another verifier appraises at the current time only, and the verification time is in the past',
      remedy:
        'The caller should send a token for the route maa in attestationResults, because the service asks for none at a verification time in the past, or about evidence that fails a check.',
    });
    expectNothingSent();
  });

  it('of a VM that can be debugged, which another verifier refuses anyway', async () => {
    await lab.service.writePolicy(lenientPolicy('debug', { allowDebug: true, routes: { maa: 'optional' } }));
    const own = await lab.startSubmitting({}, {}, 'debug');
    const report = { fields: { policy: 0xb001fn } };
    const debug = wireEvidence(lab.service.vm.evidence({ nonce: NONCE, report, endorsements: WITHOUT_ENDORSEMENTS }));
    expect(verdictOf(await verify(own, debug, { policy: 'maa-required' }))).toEqual(['deny', 'snp_debug']);
    const answer = await verify(own, debug, { policy: 'debug' });
    expect(verdictOf(answer)).toEqual(['allow']);
    expect(answer.body.checks.find(({ id }: { readonly id: string }) => id === 'route_unavailable')).toMatchObject({
      result: 'not_configured',
      detail:
        'no token was sent for the route maa, and none was requested, because evidence that fails snp_debug is sent to no other verifier, whatever a policy tolerates',
    });
    expectNothingSent();
  });

  it('of evidence that is refused here, and only that is said of it', async () => {
    const opinion = lab.evidence();
    const hclReport = Uint8Array.from(opinion.evidence.hclReport);
    hclReport.set([(hclReport[0x20 + 0x90] ?? 0) ^ 1], 0x20 + 0x90);
    const forged = wireEvidence({ ...opinion.evidence, hclReport });
    expect(verdictOf(await verify(service, forged, { policy: 'maa-required' }))).toEqual(['deny', 'snp_signature']);
    const stale = lab.evidence(OTHER_NONCE).wire;
    const answer = await verify(service, stale, { policy: 'maa-required' });
    expect(verdictOf(answer)).toEqual(['deny', 'nonce_mismatch']);
    expect(resultsOf(answer, 'route_missing')).toEqual(['skipped']);
    expectNothingSent();
  });

  describe('with a challenge', () => {
    const clock = new MovableClock();
    const start = () => lab.startSubmitting({ challenges: { lifetimeSeconds: 60 } }, { clock }, 'challenged');
    const askWith = (nonce: Uint8Array, policy: string, on: RunningService) =>
      verify(on, lab.evidence(nonce).wire, { nonce: base64Url(nonce), policy });

    it('FRS-07 that was used before', async () => {
      const own = await start();
      const nonce = await challenge(own);
      expect(verdictOf(await askWith(nonce, 'maa-required', own))).toEqual(['allow']);
      lab.maa.received.length = 0;
      await expectRefused(nonce, own, 'nonce_used');
    });

    it('FRS-07 that has expired', async () => {
      const own = await start();
      const nonce = await challenge(own);
      clock.advance(61_000);
      await expectRefused(nonce, own, 'nonce_expired');
    });

    it('FRS-01 of another scope', async () => {
      const own = await start();
      await expectRefused(await challenge(own, { policy: 'off' }), own, 'nonce_scope');
    });

    async function expectRefused(nonce: Uint8Array, on: RunningService, reason: string): Promise<void> {
      for (const policy of ['maa-required', 'maa-optional']) {
        const answer = await askWith(nonce, policy, on);
        expect(verdictOf(answer)).toEqual(['deny', reason]);
        expect(resultsOf(answer, 'route_missing')).toEqual(['skipped']);
      }
      expectNothingSent();
    }
  });

  it.each(['maa-required', 'maa-optional', 'compliant'])(
    'of evidence that cannot be judged here, which stays open under %s',
    async (policy) => {
      const fresh = await lab.startSubmitting({}, {}, `no-kds-${policy}`);
      await lab.service.kds.connect('refused');
      const answer = await ask(policy, {}, fresh);
      expect(verdictOf(answer)[0]).toBe('indeterminate');
      expect(answer.body.reasons).toContain('vcek_unavailable');
      expect(answer.body.reasons).not.toContain('route_missing');
      expectNothingSent();
    },
  );
});

describe('a token of another issuer than the own instance', () => {
  const brought = (making: TokenMaking = {}) => {
    const opinion = lab.evidence();
    return [opinion.wire, maaResult(lab.guestToken(opinion, making, lab.open))] as const;
  };

  it('TOK-31 does not keep the own instance from being asked, whose statement counts', async () => {
    const [wire, result] = brought();
    const answer = await verify(service, wire, { policy: 'maa-required', ...result });
    expect([...verdictOf(answer), submissions().length]).toEqual(['allow', 1]);
    expect(answer.body.claims.maa.issuer).toBe(lab.maa.issuer);
    expect(answer.body.crossCheck.routes).toEqual(['hardware', 'maa']);
  });

  it('TOK-31 is no way around its refusal, nor around an outage', async () => {
    const [wire, result] = brought();
    lab.maa.fail(ATTEST, { status: 400, body: { error: { code: 'PolicyEvaluationError', message: 'no' } } });
    const refused = await verify(service, wire, { policy: 'maa-required', ...result });
    expect([refused.body.decision, refused.body.reasons.includes('disagreement')]).toEqual(['deny', true]);
    await lab.maa.heal();
    lab.maa.fail(ATTEST, { status: 503 });
    for (const policy of ['maa-required', 'compliant']) {
      const away = await verify(service, wire, { policy, ...result });
      expect(away.body.decision).toBe('indeterminate');
    }
  });

  it('TOK-31 meets no rule in the place of the own instance, whether that answers or not', async () => {
    const [wire, result] = brought({ claims: { 'x-ms-team': 'payments' } });
    const cel = "maa.claims['x-ms-team'] == 'payments'";
    await lab.service.writePolicy(
      lenientPolicy('ruled', { routes: { maa: 'optional' }, rules: [{ id: 'team', cel }] }),
    );
    const own = await lab.startSubmitting({}, {}, 'ruled');
    const verdict = async () => verdictOf(await verify(own, wire, { policy: 'ruled', ...result }));
    expect(await verdict()).toEqual(['deny', 'rule_not_met', 'claim_missing']);
    lab.maa.fail(ATTEST, { status: 503 });
    expect(await verdict()).toEqual(['indeterminate', 'rule_not_met']);
  });

  it('TOK-31 makes no paravisor known that the own instance does not vouch for', async () => {
    const { maa, ita } = lab.configuration([lab.maa.origin]);
    const issuers = [lab.maa, lab.open].map(({ issuer, policyHash }) => ({ issuer, policyHash: [policyHash] }));
    const own = await lab.start({ maa: { ...maa, issuers }, ita }, {}, 'vouching');
    const { platform, vtpm } = lab.service.vm;
    const report = { fields: { idKeyDigest: new Uint8Array(48).fill(0x5e) } };
    const vm = await createVirtualMachine({ pki: PKI, platform, vtpm, report });
    const evidence = vm.evidence({ nonce: NONCE, endorsements: WITHOUT_ENDORSEMENTS });
    const compliant = { claims: isolation((tee) => ({ ...tee, 'x-ms-compliance-status': 'azure-compliant-cvm' })) };
    const brings = maaResult(lab.guestToken({ evidence, wire: {} }, compliant, lab.open));
    const ask = () => verify(own, wireEvidence(evidence), { policy: 'maa-required', ...brings });
    lab.maa.alter({ claims: { 'x-ms-compliance-status': 'azure-signed-katacc-uvm' } });
    expect(verdictOf(await ask())).toEqual(['deny', 'hcl_paravisor']);
    lab.maa.alter({ claims: { 'x-ms-compliance-status': 'azure-compliant-cvm' } });
    expect(verdictOf(await ask())).toEqual(['allow']);
  });

  it('TOK-31 that was made for another nonce of the own instance is asked for again', async () => {
    const opinion = lab.evidence();
    const other = lab.evidence(OTHER_NONCE).evidence;
    const stale = lab.maa.issueAzureVm({ hclReport: other.hclReport, clientPayloadNonce: OTHER_NONCE });
    const answer = await verify(service, opinion.wire, { policy: 'maa-required', ...maaResult(stale) });
    expect([...verdictOf(answer), submissions().length]).toEqual(['allow', 1]);
  });
});

describe('a genuine report whose revocation is not known', () => {
  it('is sent: under best effort it is allowed with the opinion', async () => {
    const fresh = await lab.startSubmitting({}, {}, 'no-crl');
    lab.service.kds.fail(/\/crl$/, { status: 404 });
    const answer = await ask('best-effort', {}, fresh);
    expect(verdictOf(answer)).toEqual(['allow']);
    expect(resultsOf(answer, 'crl_unavailable')).toContain('warn');
    expect(resultsOf(answer, 'route_missing')).toEqual(['pass']);
    expect(verdictOf(await ask('maa-required', {}, fresh))).toEqual(['indeterminate', 'crl_unavailable']);
  });
});

const member = (name: string, value: JsonValue): MembersChange => ({ [name]: value });
const ofRuntime = (change: (claims: JsonObject) => JsonObject): MembersChange => runtime(change);

describe('an opinion that differs', () => {
  it.each<[string, JsonValue, MembersChange]>([
    ['snp.measurement', 'a0'.repeat(48), member('x-ms-sevsnpvm-launchmeasurement', 'a0'.repeat(48))],
    ['hcl.userData', 'ab'.repeat(64), ofRuntime((claims) => ({ ...claims, 'user-data': 'AB'.repeat(64) }))],
    [
      'hcl.vmConfiguration.rootCertThumbprint',
      'another',
      ofRuntime((claims) => ({
        ...claims,
        'vm-configuration': { ...objectOf(claims['vm-configuration']), 'root-cert-thumbprint': 'another' },
      })),
    ],
  ])('TOK-18 denies on %s, and shows both sides', async (claim, said, claims) => {
    lab.maa.alter({ claims });
    for (const policy of ['maa-required', 'maa-optional']) {
      const { body } = await ask(policy);
      expect([body.decision, body.reasons.includes('disagreement')]).toEqual(['deny', true]);
      expect(body.crossCheck.differences).toMatchObject([{ claim, values: { maa: said } }]);
      expect(body.crossCheck.differences[0].values.hardware).not.toEqual(said);
    }
  });

  it.each(['maa-required', 'maa-optional'])(
    'TOK-18 denies where Azure Attestation judged the evidence and refuses it, under %s',
    async (policy) => {
      lab.maa.fail(ATTEST, {
        status: 400,
        body: { error: { code: 'PolicyEvaluationError', message: 'Native operation failed with 65518: secret words' } },
      });
      const answer = await ask(policy);
      expect(verdictOf(answer)).toEqual(['deny', 'disagreement']);
      expect(checksOf(answer, 'disagreement')).toMatchObject([{ expected: 'hardware', actual: null }]);
      expect(answer.body.claims.snp).not.toBeNull();
      expect(JSON.stringify(answer.body)).not.toContain('secret words');
      expect(answer.headers['retry-after']).toBeUndefined();
    },
  );
});

describe('a 400 of Azure Attestation', () => {
  it('TOK-26 denies where it is about the evidence, also where the route is optional', async () => {
    lab.maa.fail(ATTEST, { status: 400, body: { error: { code: 'InvalidParameter', message: 'secret words' } } });
    for (const policy of ['maa-required', 'maa-optional']) {
      const answer = await ask(policy);
      expect(verdictOf(answer)).toEqual(['deny', 'disagreement']);
      expect(JSON.stringify(answer.body)).not.toContain('secret words');
    }
  });

  it('TOK-26 that is about the version of the interface is a route out of reach', async () => {
    const { maa } = lab.configuration([lab.maa.origin]) as { readonly maa: { readonly submit: object } };
    const retired = { maa: { ...maa, submit: { ...maa.submit, apiVersion: '2019-01-01' } } };
    const own = await lab.start(retired, {}, 'retired');
    expect(verdictOf(await ask('maa-required', {}, own))).toEqual(['indeterminate', 'route_unavailable']);
    const optional = await ask('maa-optional', {}, own);
    expect(verdictOf(optional)).toEqual(['allow']);
    expect(resultsOf(optional, 'route_unavailable')).toEqual(['unavailable']);
  });
});

describe('Azure Attestation out of reach', () => {
  it('leaves a required route open, and an optional one aside', async () => {
    const own = await lab.startSubmitting({}, {}, 'out-of-reach');
    lab.maa.fail(ATTEST, { status: 503 });
    const required = await ask('maa-required', {}, own);
    expect(verdictOf(required)).toEqual(['indeterminate', 'route_unavailable']);
    expect(required.body.retryable).toBe(true);
    expect(required.headers['retry-after']).toBe('5');
    const optional = await ask('maa-optional', {}, own);
    expect(verdictOf(optional)).toEqual(['allow']);
    expect(resultsOf(optional, 'route_unavailable')).toEqual(['unavailable']);
    expect(optional.headers['retry-after']).toBeUndefined();
    await lab.maa.heal();
    expect(verdictOf(await ask('maa-required', {}, own))).toEqual(['allow']);
  });

  it('and an optional route does not change what the hardware is worth', async () => {
    const own = await lab.startSubmitting({}, {}, 'worth');
    await lab.maa.connect('refused');
    const optional = await ask('maa-optional', {}, own);
    const without = await ask('off', {}, own);
    expect(optional.body.trust).toEqual(without.body.trust);
    expect(optional.body.claims).toEqual(without.body.claims);
    expect(optional.body.crossCheck).toBeNull();
  });

  it('is 503 with enforce, and comes back without a restart', async () => {
    const own = await lab.startSubmitting({}, {}, 'comes-back');
    await lab.maa.connect('refused');
    const answer = await verify(own, evidence, { policy: 'maa-required' }, '?enforce=true');
    expect([answer.status, answer.body.decision, answer.headers['retry-after']]).toEqual([503, 'indeterminate', '5']);
    await lab.maa.connect('up');
    expect(verdictOf(await ask('maa-required', {}, own))).toEqual(['allow']);
  });

  it('passes on how long it wants to be left alone, and keeps to it', async () => {
    const clock = new MovableClock();
    const own = await lab.startSubmitting({}, { clock }, 'throttled');
    lab.maa.fail(ATTEST, { status: 429, retryAfter: '17' });
    const answer = await ask('maa-required', {}, own);
    expect([...verdictOf(answer), answer.headers['retry-after']]).toEqual(['indeterminate', 'route_unavailable', '17']);
    await lab.maa.heal();
    expect(verdictOf(await ask('maa-required', {}, own))).toEqual(['indeterminate', 'route_unavailable']);
    expect(submissions()).toHaveLength(1);
    clock.advance(17_000);
    expect(verdictOf(await ask('maa-required', {}, own))).toEqual(['allow']);
  });

  it('is not asked for again where it says no for good', async () => {
    const own = await lab.startSubmitting({}, {}, 'forbidden');
    lab.maa.fail(ATTEST, { status: 403 });
    for (const policy of ['maa-required', 'compliant']) {
      const answer = await ask(policy, {}, own);
      expect([answer.body.decision, answer.body.retryable]).toEqual(['indeterminate', false]);
      expect(answer.headers['retry-after']).toBeUndefined();
    }
  });

  it('is given up in time for the rest to be judged', async () => {
    const own = await lab.startSubmitting({ deadlineSeconds: 1 }, {}, 'half-open');
    await ask('off', {}, own);
    lab.maa.fail(ATTEST, 'half_open');
    const answer = await ask('maa-required', {}, own);
    expect(verdictOf(answer)).toEqual(['indeterminate', 'route_unavailable']);
    expect(answer.body.claims.snp).not.toBeNull();
  });

  it('with keys that are out of reach is a route out of reach', async () => {
    const own = await lab.startSubmitting({}, {}, 'no-keys');
    lab.maa.fail(/^\/certs$/, { status: 500 });
    expect(verdictOf(await ask('maa-required', {}, own))).toEqual(['indeterminate', 'route_unavailable']);
    expect(verdictOf(await ask('maa-optional', {}, own))).toEqual(['allow']);
  });

  it.each<[string, TokenMaking]>([
    ['a broken signature', { afterSigning: (token) => `${token.slice(0, -8)}AAAAAAAA` }],
    ['an answer to another call', { claims: { nonce: base64Url(OTHER_NONCE) } }],
  ])('that answers with a token of %s is a route out of reach', async (_, making) => {
    lab.maa.alter(making);
    const answer = await ask('maa-required');
    expect(verdictOf(answer)).toEqual(['indeterminate', 'route_unavailable']);
    expect(answer.body.claims.maa).toBeNull();
    expect(verdictOf(await ask('maa-optional'))).toEqual(['allow']);
  });

  it('TOK-17 denies the token of an instance whose policy is not the pinned one', async () => {
    lab.maa.alter({ claims: { 'x-ms-policy-hash': 'A'.repeat(43) } });
    expect(verdictOf(await ask('maa-optional'))).toEqual(['deny', 'token_issuer_policy']);
  });
});

describe('an instance that wants to know who asks', () => {
  const CLIENT_ID = '5a1c8f5e-0d3c-4c41-9c1b-7f6f2d6a9b10';
  let entra: LabEntra;
  let guarded: LabMaa;

  beforeAll(async () => {
    const bearers = new BearerTokens();
    [entra, guarded] = await Promise.all([
      LabEntra.start({ tls: lab.tls, bearers, clients: [{ clientId: CLIENT_ID, secret: 'sesame-of-the-lab-42' }] }),
      LabMaa.start({ pki: PKI, tls: lab.tls, bearers }),
    ]);
  });

  afterAll(() => Promise.all([entra.close(), guarded.close()]));

  const startAs = async (data: string, isKnown: boolean): Promise<RunningService> => {
    const secretFile = join(lab.service.root, `secret-${data}`);
    await writeFile(secretFile, 'sesame-of-the-lab-42');
    const { tenantId, origin: authority } = entra;
    const credential = { kind: 'client-secret', tenantId, clientId: CLIENT_ID, secretFile, authority };
    const maa = {
      shared: false,
      issuers: [{ issuer: guarded.issuer, policyHash: [guarded.policyHash] }],
      submit: { endpoints: [guarded.origin], credential: isKnown ? credential : null },
    };
    return lab.start({ maa }, {}, data);
  };

  it('is told, by a token that Entra gives out once', async () => {
    const own = await startAs('entra', true);
    for (let time = 0; time < 2; time += 1) expect(verdictOf(await ask('maa-required', {}, own))).toEqual(['allow']);
    expect(entra.grants).toEqual([{ clientId: CLIENT_ID, by: 'secret', scope: 'https://attest.azure.net/.default' }]);
    expect(lab.service.output).not.toContain('sesame-of-the-lab-42');
  });

  it('is a route out of reach where it is not told', async () => {
    const answer = await ask('maa-required', {}, await startAs('nobody', false));
    expect([...verdictOf(answer), answer.body.retryable]).toEqual(['indeterminate', 'route_unavailable', false]);
  });

  it('is out of reach where Entra is, and back with it, without a restart', async () => {
    const own = await startAs('entra-down', true);
    await entra.connect('refused');
    expect(verdictOf(await ask('maa-required', {}, own))).toEqual(['indeterminate', 'route_unavailable']);
    expect(verdictOf(await ask('maa-optional', {}, own))).toEqual(['allow']);
    await entra.connect('up');
    expect(verdictOf(await ask('maa-required', {}, own))).toEqual(['allow']);
  });
});

describe('several policies', () => {
  it('see the same opinion, and each has a say on one that is out of reach', async () => {
    const own = await lab.startSubmitting({}, {}, 'several');
    const all = { policy: ['off', 'maa-optional', 'maa-required'] };
    expect(verdictOf(await verify(own, evidence, all))).toEqual(['allow']);
    expect(submissions()).toHaveLength(1);
    await lab.maa.connect('refused');
    const answer = await verify(own, evidence, all);
    expect(verdictOf(answer)).toEqual(['indeterminate', 'route_unavailable']);
    expect(answer.body.policies.map(({ outcome }: { outcome: string }) => outcome)).toEqual([
      'allow',
      'allow',
      'indeterminate',
    ]);
    expect(resultsOf(answer, 'route_unavailable')).toEqual(['unavailable', 'unavailable']);
  });
});

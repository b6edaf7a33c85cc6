import { describe, expect, it } from 'vitest';
import type { Decision } from '../../../src/core/decision.js';
import type { Caller, VerifyRequest } from '../../../src/core/request.js';
import type { EvidenceVerifier } from '../../../src/core/verification.js';
import type { RememberedResets } from '../../../src/core/vtpm-resets.js';
import { jwkThumbprint } from '../../../src/crypto/jwk-thumbprint.js';
import { NO_SLOT } from '../../../src/judge/verification-slots.js';
import { VerifyEvidence } from '../../../src/judge/verify-evidence.js';
import type { TrackedVtpm } from '../../../src/policy/appraise/vtpm-resets.js';
import { parsePolicy } from '../../../src/policy/document/policy-document.js';
import { JUDGING_OPTIONS, judgingParts } from '../../judging-parts.js';
import { type AzureEvidenceOptions, createSnpGuest, createVirtualMachine } from '../../lab/index.js';
import { AT, azureVerifier, NONCE, PKI, snpVerifier } from '../tee/fixture.js';

const VM = await createVirtualMachine({ pki: PKI });
const GUEST = createSnpGuest({ pki: PKI, platform: VM.platform });
const KEY = jwkThumbprint(VM.vtpm.publicJwk);

const policyOf = (id: string, members: object = {}) =>
  parsePolicy(
    JSON.stringify({
      apiVersion: 'veritee/v1',
      id,
      version: 1,
      accepts: ['snp', 'az-snp-vtpm'],
      minimums: 'any',
      freshness: 'none',
      revocation: 'best-effort',
      ...members,
    }),
  );
const tracking = { require: { tpm: { trackResets: true } } };
const POLICIES = new Map(
  [
    policyOf('tracking', tracking),
    policyOf('other'),
    policyOf('refusing', { require: { snp: { minGuestSvn: 0xffff } } }),
    policyOf('undecided', { revocation: 'required' }),
  ].map((policy) => [policy.id, policy]),
);

const CALLER: Caller = {
  principal: 'gate',
  tenant: 'default',
  roles: new Set(['verify', 'audit:read']),
  policies: null,
  audiences: null,
  keys: new Set(),
};

/** The memory: what it says, and what it was asked and told. */
class ScriptedResets {
  readonly calls: string[] = [];
  before: RememberedResets = { state: 'none' };
  after: RememberedResets | null = null;

  async remembered(vtpm: TrackedVtpm): Promise<RememberedResets> {
    this.calls.push(`read ${vtpm.akThumbprint}`);
    return this.before;
  }

  async advance({ akThumbprint, counts: { resetCount, restartCount } }: TrackedVtpm): Promise<RememberedResets | null> {
    this.calls.push(`advance ${akThumbprint} ${resetCount} ${restartCount}`);
    return this.after;
  }
}

function useCaseOf(resets: ScriptedResets, shadowPolicies: readonly string[] = []): VerifyEvidence {
  const verifiers: readonly EvidenceVerifier[] = [
    snpVerifier() as EvidenceVerifier,
    azureVerifier() as EvidenceVerifier,
  ];
  return new VerifyEvidence(
    judgingParts({
      verifiers: new Map(verifiers.map((verifier) => [verifier.evidenceType, verifier])),
      tenants: () => ({ policies: () => POLICIES, defaultPolicy: 'other', shadowPolicies, resets }),
      nonces: { standing: async () => ({ origin: 'caller' }) },
      clock: { now: () => AT, monotonicMs: () => 0, doubt: () => null },
    }),
    JUDGING_OPTIONS,
  );
}

function requestOf(members: Partial<VerifyRequest>, options: AzureEvidenceOptions = {}): VerifyRequest {
  return {
    evidence: VM.evidence({ nonce: NONCE, ...options }),
    attestationResults: [],
    nonce: NONCE,
    bindingJwk: null,
    policies: ['tracking'],
    audience: null,
    at: null,
    ...members,
  };
}

async function judge(
  members: Partial<VerifyRequest>,
  resets: ScriptedResets,
  options: AzureEvidenceOptions = {},
  shadowPolicies: readonly string[] = [],
): Promise<Decision> {
  return useCaseOf(resets, shadowPolicies).execute(requestOf(members, options), CALLER, NO_SLOT);
}

const READ = `read ${KEY}`;
const ADVANCED = `advance ${KEY} 7 0`;

describe('the memory of vTPM resets', () => {
  it.each([
    ['tracking', ['tracking']],
    ['another as well', ['other', 'tracking']],
  ])('TPM-10 twin: is read before an allow and advanced after it, under %s', async (_title, policies) => {
    const resets = new ScriptedResets();
    expect(await judge({ policies }, resets)).toMatchObject({ decision: 'allow', reasons: [] });
    expect(resets.calls).toEqual([READ, ADVANCED]);
  });

  it('TPM-10 denies lower counts, and is not advanced by them', async () => {
    const resets = new ScriptedResets();
    resets.before = { state: 'remembered', counts: { resetCount: 8, restartCount: 0 } };
    expect(await judge({}, resets)).toMatchObject({ decision: 'deny', reasons: ['tpm_reset'] });
    expect(resets.calls).toEqual([READ]);
  });

  it('TPM-10 denies a quote that a newer one has overtaken', async () => {
    const resets = new ScriptedResets();
    resets.after = { state: 'remembered', counts: { resetCount: 7, restartCount: 1 } };
    const decision = await judge({}, resets);
    expect(decision).toMatchObject({ decision: 'deny', reasons: ['tpm_reset'] });
    expect(decision.policies).toMatchObject([{ outcome: 'deny', unmatched: ['tpm_reset'] }]);
  });

  it.each([true, false])('TPM-10 does not let an allow leave that it cannot keep, retryable: %s', async (retryable) => {
    const resets = new ScriptedResets();
    resets.after = { state: 'unavailable', detail: 'cannot be written', retryable };
    expect(await judge({}, resets)).toMatchObject({ decision: 'indeterminate', reasons: ['tpm_reset'], retryable });
  });

  it('TPM-10 is not advanced where it cannot be read', async () => {
    const resets = new ScriptedResets();
    resets.before = { state: 'unavailable', detail: 'cannot be read', retryable: true };
    expect(await judge({}, resets)).toMatchObject({ decision: 'indeterminate', reasons: ['tpm_reset'] });
    expect(resets.calls).toEqual([READ]);
  });

  it.each([
    ['refusing', 'deny'],
    ['undecided', 'indeterminate'],
  ])('TPM-10 is not advanced where another policy is %s', async (other, expected) => {
    const resets = new ScriptedResets();
    const decision = await judge({ policies: ['tracking', other] }, resets, { endorsements: { crls: [] } });
    expect([decision.decision, decision.policies[0]?.outcome]).toEqual([expected, 'allow']);
    expect(resets.calls).toEqual([READ]);
  });

  it('TPM-10 is neither read nor advanced for a verification time in the past', async () => {
    const resets = new ScriptedResets();
    resets.before = { state: 'remembered', counts: { resetCount: 8, restartCount: 0 } };
    const decision = await judge({ at: AT }, resets);
    expect(decision).toMatchObject({ decision: 'allow', historical: true });
    expect(decision.checks).toContainEqual(expect.objectContaining({ id: 'tpm_reset', result: 'warn' }));
    expect(resets.calls).toEqual([]);
  });

  it('TPM-10 is neither read nor advanced for a policy that is only tried, whose text is the caller’s', async () => {
    const resets = new ScriptedResets();
    resets.before = { state: 'remembered', counts: { resetCount: 8, restartCount: 0 } };
    const decision = await useCaseOf(resets).tryPolicy(policyOf('own', tracking), requestOf({}), CALLER, NO_SLOT);
    expect(decision).toMatchObject({ decision: 'allow', policies: [{ id: 'own' }] });
    expect(decision.checks).toContainEqual(expect.objectContaining({ id: 'tpm_reset', result: 'warn' }));
    expect(resets.calls).toEqual([]);
  });

  it('is neither read nor advanced where no policy asks', async () => {
    const resets = new ScriptedResets();
    expect(await judge({ policies: ['other'] }, resets)).toMatchObject({ decision: 'allow' });
    expect(resets.calls).toEqual([]);
  });

  it('TPM-10 knows no vTPM that is made anew at each boot', async () => {
    const resets = new ScriptedResets();
    const claims = { vmConfiguration: { 'secure-boot': true, 'tpm-persisted': false } };
    expect(await judge({}, resets, { claims })).toMatchObject({ decision: 'allow' });
    expect(resets.calls).toEqual([]);
  });

  it('TPM-10 knows no vTPM by a quote that does not verify', async () => {
    const resets = new ScriptedResets();
    const beforeSigning = (message: Uint8Array) => message.map((byte, index) => (index === 0 ? byte ^ 1 : byte));
    const decision = await judge({}, resets, { quote: { beforeSigning } });
    expect([decision.decision, decision.claims.tpm]).toEqual(['deny', undefined]);
    expect(resets.calls).toEqual([]);
  });

  it('TPM-10 denies evidence without a vTPM', async () => {
    const resets = new ScriptedResets();
    const evidence = GUEST.evidence({ nonce: NONCE });
    expect(await judge({ evidence }, resets)).toMatchObject({ decision: 'deny', reasons: ['tpm_reset'] });
    expect(resets.calls).toEqual([]);
  });
});

describe('the memory of vTPM resets, for a policy that is judged beside', () => {
  const beside = (members: Partial<VerifyRequest>, resets: ScriptedResets) =>
    judge({ policies: ['other'], ...members }, resets, {}, ['tracking']);

  it('TPM-10 is read, and not advanced where it would allow', async () => {
    const resets = new ScriptedResets();
    const { decision, shadow } = await beside({}, resets);
    expect([decision, shadow[0]?.outcome, shadow[0]?.reasons]).toEqual(['allow', 'allow', []]);
    expect(resets.calls).toEqual([READ]);
  });

  it('TPM-10 says that lower counts would be denied, and decides as without it', async () => {
    const resets = new ScriptedResets();
    resets.before = { state: 'remembered', counts: { resetCount: 8, restartCount: 0 } };
    const { decision, shadow } = await beside({}, resets);
    expect([decision, shadow[0]?.outcome, shadow[0]?.reasons]).toEqual(['allow', 'deny', ['tpm_reset']]);
    expect(resets.calls).toEqual([READ]);
  });

  it('TPM-10 is neither read nor advanced for a verification time in the past', async () => {
    const resets = new ScriptedResets();
    resets.before = { state: 'remembered', counts: { resetCount: 8, restartCount: 0 } };
    const { historical, shadow } = await beside({ at: AT }, resets);
    expect([historical, shadow[0]?.outcome, shadow[0]?.reasons]).toEqual([true, 'allow', []]);
    expect(resets.calls).toEqual([]);
  });

  it('TPM-10 is not read where no policy that is judged beside asks', async () => {
    const resets = new ScriptedResets();
    const { shadow } = await judge({ policies: ['other'] }, resets, {}, ['other']);
    expect(shadow[0]?.outcome).toBe('allow');
    expect(resets.calls).toEqual([]);
  });
});

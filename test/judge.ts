import type { AmdLines } from '../src/core/amd-lines.js';
import type { NonceStanding } from '../src/core/challenge.js';
import type { Decision } from '../src/core/decision.js';
import { type EndorsementSet, NO_ENDORSEMENTS } from '../src/core/endorsement.js';
import type { Evidence } from '../src/core/evidence.js';
import type { Caller, VerifyRequest } from '../src/core/request.js';
import type { EvidenceVerifier } from '../src/core/verification.js';
import { NO_SLOT } from '../src/judge/verification-slots.js';
import { VerifyEvidence } from '../src/judge/verify-evidence.js';
import { BUILT_IN_POLICIES } from '../src/policy/document/built-in-policies.js';
import { type Policy, parsePolicy } from '../src/policy/document/policy-document.js';
import { type ListedParavisor, paravisorFloors } from '../src/tee/azure/known-paravisors.js';
import type { AkRoots } from '../src/tee/shared/attestation-key/ak-roots.js';
import type { AmdRootPins } from '../src/tee/snp/amd/roots.js';
import { createVerifiers } from '../src/tee/verifiers.js';
import { JUDGING_OPTIONS, judgingParts } from './judging-parts.js';

/** The service without its shell: real verifiers, policies and decision, a fixed clock, no network and no store. */

const CALLER: Caller = {
  principal: 'test',
  tenant: 'default',
  roles: new Set(['verify', 'audit:read']),
  policies: null,
  audiences: null,
  keys: new Set(),
};

export const BASELINE: Policy = baseline();

function baseline(): Policy {
  const found = BUILT_IN_POLICIES.find(({ id }) => id === 'azure-cvm-baseline');
  if (found === undefined) throw new Error('no baseline');
  return found;
}

/** Trust in other than the vendors' roots, and what the operator lists. */
export interface TrustOptions {
  readonly intelPins?: ReadonlySet<string>;
  readonly akRoots?: AkRoots;
  readonly mrtds?: readonly string[];
  readonly idKeyDigests?: readonly ListedParavisor[];
  /** Product lines of a configuration, and those that are built in. */
  readonly lines?: AmdLines;
}

export function verifiersOf(amdPins?: AmdRootPins, trust: TrustOptions = {}): ReadonlyMap<string, EvidenceVerifier> {
  const { idKeyDigests = [], mrtds = [], lines, intelPins, akRoots } = trust;
  return createVerifiers({
    paravisorFloors: paravisorFloors(idKeyDigests),
    paravisorMrtds: new Set(mrtds),
    ...(amdPins === undefined ? {} : { amdPins }),
    ...(lines === undefined ? {} : { amdLines: lines }),
    ...(intelPins === undefined ? {} : { intelPins }),
    ...(akRoots === undefined ? {} : { akRoots }),
  });
}

export interface Judged {
  readonly verifiers: ReadonlyMap<string, EvidenceVerifier>;
  readonly endorsements?: EndorsementSet;
  readonly at: Date;
  /** Policy text, or a policy that is loaded. */
  readonly policies: readonly (string | Policy)[];
  /** Where the nonce of the request is not one that the caller made itself. */
  readonly standing?: NonceStanding;
}

/** Judges one request. Text of policies is read as YAML. */
export function judge(evidence: Evidence, request: Partial<VerifyRequest>, judged: Judged): Promise<Decision> {
  const policies = judged.policies.map((policy) => (typeof policy === 'string' ? parsePolicy(policy) : policy));
  const byId = new Map(policies.map((policy) => [policy.id, policy]));
  const useCase = new VerifyEvidence(
    judgingParts({
      verifiers: judged.verifiers,
      endorsements: { fetch: async () => judged.endorsements ?? NO_ENDORSEMENTS },
      tenants: () => ({
        policies: () => byId,
        defaultPolicy: policies[0]?.id ?? '',
        shadowPolicies: [],
        resets: { remembered: async () => ({ state: 'none' }), advance: async () => null },
      }),
      nonces: { standing: async (nonce) => judged.standing ?? { origin: nonce === null ? 'none' : 'caller' } },
      clock: { now: () => judged.at, monotonicMs: () => 0, doubt: () => null },
    }),
    { ...JUDGING_OPTIONS, historical: false, consumesChallenges: false },
  );
  const full: VerifyRequest = {
    evidence,
    attestationResults: [],
    nonce: null,
    bindingJwk: null,
    policies: policies.map(({ id }) => id),
    audience: null,
    at: null,
    ...request,
  };
  return useCase.execute(full, CALLER, NO_SLOT);
}

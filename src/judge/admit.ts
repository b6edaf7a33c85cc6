import { FormatError, RefusedError } from '../core/errors.js';
import type { Caller, VerifyRequest } from '../core/request.js';
import type { EvidenceVerifier, ExpectedBinding } from '../core/verification.js';
import type { Policy } from '../policy/document/policy-document.js';
import { expectedBinding } from '../tee/shared/binding/expected-binding.js';
import { requireAudience, requirePolicies, unknownPolicy } from './caller-limits.js';
import type { Tenant, Tenants } from './tenants.js';

/** The terms of a request. The challenge is not consumed yet. */
export interface Terms {
  readonly request: VerifyRequest;
  readonly caller: Caller;
  readonly verifier: EvidenceVerifier;
  /** The time of the service. The verification time differs from it for a request about the past. */
  readonly now: Date;
  readonly at: Date;
  readonly historical: boolean;
  /** All policies come from one view, so a reload cannot mix two sets. */
  readonly policies: readonly Policy[];
  /** Shadow policies. They are appraised, but do not change the decision. */
  readonly shadow: readonly Policy[];
  /**
   * Whether this is a trial of a policy. A trial consumes no challenge, advances no reset count and records nothing.
   */
  readonly trial: boolean;
  readonly binding: ExpectedBinding | null;
  /** Memory of reset counts of the vTPMs of the caller's tenant. */
  readonly resets: Tenant['resets'];
  readonly decisionId: string;
}

export interface AdmitParts {
  readonly verifiers: ReadonlyMap<string, EvidenceVerifier>;
  readonly tenants: Tenants;
  /** Makes a decision id, a UUID version 7. */
  readonly newId: (at: Date) => string;
  /** Whether requests may set `at`. */
  readonly historical: boolean;
}

/**
 * Derives the terms of a request, if the caller may make it.
 *
 * @param tried the trial policy; null for the policies of the request
 * @throws {FormatError} `at_not_enabled`, `policy_unknown`, `type_unsupported`
 * @throws {RefusedError} `forbidden` if the caller may not use this policy, audience or verification time
 */
export function admit(
  { verifiers, tenants, newId, historical: mayBePast }: AdmitParts,
  request: VerifyRequest,
  caller: Caller,
  now: Date,
  tried: Policy | null,
): Terms {
  const historical = request.at !== null;
  if (historical) requireMayNameTime(mayBePast, caller);
  const { policies, shadow } =
    tried === null ? policiesOf(request, caller, tenants) : { policies: [tried], shadow: [] };
  requireAudience(request.audience, caller);
  const verifier = verifiers.get(request.evidence.type);
  if (verifier === undefined) {
    throw new FormatError('type_unsupported', 'no verifier for this type of evidence', { pointer: '/evidence/type' });
  }
  const { nonce, bindingJwk, bindingPem } = request;
  const binding = nonce === null ? null : expectedBinding(nonce, bindingJwk, bindingPem);
  const { resets } = tenants(caller.tenant);
  const at = request.at ?? now;
  const decisionId = newId(now);
  const trial = tried !== null;
  return { request, caller, verifier, now, at, historical, policies, shadow, trial, binding, resets, decisionId };
}

function requireMayNameTime(mayBePast: boolean, { roles }: Caller): void {
  if (!mayBePast) {
    throw new FormatError(
      'at_not_enabled',
      'this service does not judge at a verification time in the past: historical is not set in its configuration',
      { pointer: '/at' },
    );
  }
  if (roles.has('audit:read')) return;
  const detail = 'at needs the role audit:read, which this caller does not have';
  throw new RefusedError('forbidden', detail, { pointer: '/at' });
}

function policiesOf({ policies, release }: VerifyRequest, caller: Caller, tenants: Tenants) {
  const tenant = tenants(caller.tenant);
  const ids = policies ?? [tenant.defaultPolicy];
  // The body of a release request has no policy. The key determines it.
  requirePolicies(ids, caller, release === undefined ? '/policy' : '/keyId');
  const view = tenant.policies();
  const known = (id: string) => {
    const policy = view.get(id);
    if (policy === undefined) throw unknownPolicy(id, view, caller);
    return policy;
  };
  return { policies: ids.map(known), shadow: tenant.shadowPolicies.map(known) };
}

/**
 * Rejects a verification time in the future. Call it only after the clock check.
 * @throws {FormatError} `at_not_enabled`
 */
export function requireNotInFuture({ at, now }: Terms): void {
  if (at > now) throw new FormatError('at_not_enabled', 'at is in the future', { pointer: '/at' });
}

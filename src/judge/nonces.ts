import type { ComparedScopes, ConsumedScope, NonceStanding } from '../core/challenge.js';
import type { Check, Checks } from '../core/check.js';
import type { JsonObject, JsonValue } from '../core/json.js';
import { checksAt } from '../tee/catalogue.js';
import type { Terms } from './admit.js';
import { type ChallengeCodec, challengeId } from './challenge-codec.js';
import { type Inquiry, NO_KEY } from './inquiry.js';

/** The terms of a request, and the standing of its nonce. */
export interface NoncedTerms extends Terms {
  readonly nonce: NonceStanding;
}

/**
 * The standing of the nonce of a request. Consumes a challenge if the request is live. The challenge stays consumed,
 * even if the request fails later.
 */
export async function useNonce(
  nonces: Nonces,
  { request, caller, policies, at, historical, trial }: Terms,
  consumesChallenges: boolean,
  inquiry: Inquiry,
): Promise<NonceStanding> {
  const scope = {
    tenant: caller.tenant,
    audience: request.audience,
    policies: policies.map(({ id }) => id),
    evidenceType: request.evidence.type,
  };
  const consume = consumesChallenges && !historical && !trial;
  return inquiry.ask('nonce', NO_KEY, () => nonces.standing(request.nonce, scope, { at, consume }));
}

/** How a nonce is checked. */
export interface NonceUse {
  readonly at: Date;
  /** Whether the challenge is consumed. False for historical requests, evaluations, replays and the command line. */
  readonly consume: boolean;
}

/** Distinguishes challenges of this service from nonces of the caller, and consumes challenges. */
export interface Nonces {
  /**
   * Call this once the request has passed the schema. A consumed challenge stays consumed, even if the request fails or
   * the store answers too late.
   */
  standing(nonce: Uint8Array | null, scope: ConsumedScope, use: NonceUse): Promise<NonceStanding>;
}

/** @param consume consumes the challenge with this id and expiry; null if it must not be consumed */
export async function nonceStanding(
  codec: ChallengeCodec,
  nonce: Uint8Array | null,
  at: Date,
  consume: ((id: string, expiresAt: Date) => Promise<NonceStanding>) | null,
): Promise<NonceStanding> {
  if (nonce === null) return { origin: 'none' };
  const recognised = codec.recognise(nonce);
  if (recognised === null) return { origin: 'caller' };
  const { expiresAt } = recognised;
  // The challenge contains its expiry, so this check needs no store.
  if (at >= expiresAt) return { origin: 'challenge', state: 'expired' };
  return consume === null ? { origin: 'challenge', state: 'not_consumed' } : consume(challengeId(nonce), expiresAt);
}

type ChallengeState = Extract<NonceStanding, { readonly origin: 'challenge' }>['state'];

const NOT_ASKED = 'only the service that issued a challenge knows whether it is unused, and only for live requests';

/** The checks of a challenge: unexpired, of this scope, unused. A nonce of the caller has none of them. */
export function nonceChecks(standing: NonceStanding): readonly Check[] {
  const checks = checksAt('/nonce');
  if (standing.origin !== 'challenge') return checks.all;
  const { state, scopes } = standing;
  if (state === 'not_consumed') {
    // The command line may verify live, but has no record of issued challenges.
    checks.notConfigured('nonce_used', NOT_ASKED);
  } else if (checks.require(state !== 'expired', 'nonce_expired')) {
    checkRecord(state, scopes, checks);
  } else {
    checks.skip(['nonce_scope', 'nonce_used'], 'an expired challenge is not looked up');
  }
  return checks.all;
}

function checkRecord(state: ChallengeState, scopes: ComparedScopes | undefined, checks: Checks): void {
  if (state === 'store_unavailable') {
    checks.unavailable('nonce_store', { retryable: true });
  } else if (state === 'scope') {
    checks.fail('nonce_scope', compared(scopes));
    checks.skip(['nonce_used'], 'a challenge of another scope is not used up');
  } else {
    // Without the record, the scope is unknown.
    if (state === 'consumed') checks.pass('nonce_scope', compared(scopes));
    checks.require(state === 'consumed', 'nonce_used');
  }
}

/** The scopes of the challenge and of the request. Shows nothing of another tenant's challenge. */
function compared(scopes: ComparedScopes | undefined): { expected?: JsonObject; actual?: JsonObject } {
  if (scopes === undefined) return {};
  const { purpose, asked } = scopes;
  const members: readonly (readonly [string, JsonValue, JsonValue])[] = [
    ['audience', purpose.audience, asked.audience],
    ['policy', purpose.policy, asked.policies],
    ['evidenceType', purpose.evidenceType, asked.evidenceType],
  ];
  const limited = members.filter(([, limit]) => limit !== null);
  if (limited.length === 0) return {};
  return {
    expected: Object.fromEntries(limited.map(([name, limit]) => [name, limit])),
    actual: Object.fromEntries(limited.map(([name, , value]) => [name, value])),
  };
}

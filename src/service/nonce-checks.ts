import type { ComparedScopes, NonceStanding } from '../model/challenge.js';
import { type Check, Checks } from '../model/check.js';
import type { JsonObject, JsonValue } from '../model/json.js';

type ChallengeState = Extract<NonceStanding, { readonly origin: 'challenge' }>['state'];

const NOT_ASKED = 'only the service that issued a challenge knows whether it is unused, and only for live requests';

/** The checks of a challenge: unexpired, of this scope, unused. A nonce of the caller's own has none of them. */
export function nonceChecks(standing: NonceStanding): readonly Check[] {
  const checks = new Checks('/nonce');
  if (standing.origin !== 'challenge') return checks.all;
  const { state, scopes } = standing;
  if (state === 'not_consumed') {
    // The command line may be as live as a request, and still has no record of what was issued.
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
    // The scope is not known where the record is gone.
    if (state === 'consumed') checks.pass('nonce_scope', compared(scopes));
    checks.require(state === 'consumed', 'nonce_used');
  }
}

/** What the challenge is limited to, and the same of the request. Of another tenant's challenge nothing is told. */
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

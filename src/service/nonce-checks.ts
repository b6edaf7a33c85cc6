import type { NonceStanding } from '../model/challenge.js';
import type { Check } from '../model/check.js';
import { CheckList } from '../model/check.js';

const ABOUT = '/nonce';
const UNEXPIRED = { detail: 'the challenge has not expired' };

/** The checks of a challenge: unexpired, of this scope, unused. A nonce of the caller's own has none of them. */
export function nonceChecks(standing: NonceStanding): readonly Check[] {
  const checks = new CheckList();
  if (standing.origin !== 'challenge') return checks.all;
  switch (standing.state) {
    case 'expired':
      checks.fail('nonce_expired', ABOUT, { detail: 'the challenge has expired' });
      checks.skip(['nonce_scope', 'nonce_used'], ABOUT, 'an expired challenge is not looked up');
      break;
    case 'scope':
      checks.pass('nonce_expired', ABOUT, UNEXPIRED);
      checks.fail('nonce_scope', ABOUT, {
        detail: 'the challenge was made for another tenant, audience, policy or evidence type',
      });
      checks.skip(['nonce_used'], ABOUT, 'a challenge of another scope is not used up');
      break;
    case 'used':
      // The scope is not known where the record is gone.
      checks.pass('nonce_expired', ABOUT, UNEXPIRED);
      checks.fail('nonce_used', ABOUT, { detail: 'the challenge was used before, or its record is gone' });
      break;
    case 'consumed':
      checks.pass('nonce_expired', ABOUT, UNEXPIRED);
      checks.pass('nonce_scope', ABOUT, { detail: 'the challenge was made for this use' });
      checks.pass('nonce_used', ABOUT, { detail: 'the challenge was unused, and is used now' });
      break;
    case 'store_unavailable':
      checks.pass('nonce_expired', ABOUT, UNEXPIRED);
      checks.unavailable('nonce_store', ABOUT, 'whether the challenge is unused could not be looked up', true);
      break;
    case 'not_consumed':
      checks.notConfigured('nonce_used', ABOUT, 'whether a challenge is unused is asked for live requests only');
      break;
  }
  return checks.all;
}

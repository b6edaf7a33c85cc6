import type { Checks } from '../../core/check.js';
import type { CheckId } from '../../core/codes.js';
import { hasParavisor, placeOf } from '../../core/evidence-traits.js';
import type { Policy } from '../document/policy-document.js';
import type { AppraisalTopic, Findings, TopicInput } from './appraisal-topic.js';

type Origin = TopicInput['nonce']['origin'];

/**
 * Whether there had to be a nonce, whose, and how deep in the evidence it stands. That a nonce stands in it at all,
 * and that a challenge is fresh and used once, are base checks: no policy has a say there.
 */
export const freshness: AppraisalTopic = {
  needs: () => [],
  required: (policy, evidenceType) => {
    const ids: CheckId[] = ['nonce_missing'];
    if (policy.freshness !== 'none' && hasParavisor(evidenceType)) ids.push('nonce_stale');
    if (policy.binding === 'required') ids.push('binding_missing');
    return ids;
  },
  requiredOfBase: (policy) => (policy.freshness === 'none' ? [] : ['nonce_mismatch']),
  appraise: (policy, input, checks) => {
    const { evidenceType, verification, boundKey, keyAsPem } = input;
    appraisePresence(policy, input.nonce.origin, checks.at('/nonce'));
    if (keyAsPem) appraisePemKey(policy, verification.bound, checks.at('/binding/pem'));
    else if (policy.freshness !== 'none' && hasParavisor(evidenceType)) {
      appraiseDepth(policy, verification.bound, checks.at(placeOf('hcl', evidenceType)));
    }
    if (policy.binding === 'required') checks.at('/binding').require(boundKey, 'binding_missing');
  },
};

/** A policy that asks for no nonce allows evidence of any age, and each decision without one says so. */
function appraisePresence({ freshness: wanted, nonce }: Policy, origin: Origin, checks: Checks): void {
  const compared = { expected: nonce === 'challenge' ? 'challenge' : 'any', actual: origin };
  if (nonce === 'challenge' && origin !== 'challenge') {
    const detail = 'the policy requires a challenge of this service as nonce';
    checks.fail('nonce_missing', { ...compared, detail });
  } else if (wanted === 'none' && origin === 'none') {
    const detail = 'no nonce was sent, and the policy requires none: the evidence may be of any age';
    checks.warn('nonce_missing', { ...compared, detail });
  } else {
    checks.require(origin !== 'none', 'nonce_missing', compared);
  }
}

/**
 * Evidence with a key as PEM has no nonce there, so it may be of any age, whatever the quote beside it contains. A challenge that nothing
 * holds is only repeated by the request.
 */
function appraisePemKey({ freshness: wanted, nonce }: Policy, bound: Findings['bound'], checks: Checks): void {
  const isHeld = bound.length > 0;
  const detail = isHeld
    ? 'the hardware report holds the key and no nonce, so the report may be old'
    : 'the evidence holds the key and no nonce, so all of it may be old';
  const compared = { expected: null, actual: [...bound], detail };
  if (wanted === 'strict' || (nonce === 'challenge' && !isHeld)) checks.fail('nonce_stale', compared);
  else checks.warn('nonce_stale', compared);
}

/** The quote is made at the moment, the hardware report at most every two seconds, or as long ago as a guest likes. */
function appraiseDepth(policy: Policy, bound: Findings['bound'], checks: Checks): void {
  if (!bound.includes('tpm.extraData')) {
    checks.skip(['nonce_stale'], 'rests on a nonce in the quote');
    return;
  }
  const deep = bound.includes('hcl.userData');
  const compared = { expected: ['tpm.extraData', 'hcl.userData'], actual: [...bound] };
  if (deep || policy.freshness === 'strict') checks.require(deep, 'nonce_stale', compared);
  else checks.warn('nonce_stale', compared);
}

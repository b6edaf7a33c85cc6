import type { Checks } from '../../core/check.js';
import type { CheckId } from '../../core/codes.js';
import { hasParavisor, placeOf } from '../../core/evidence-traits.js';
import type { Policy } from '../document/policy-document.js';
import type { AppraisalTopic, Findings, TopicInput } from './appraisal-topic.js';

type Origin = TopicInput['nonce']['origin'];

/**
 * Appraises whether a nonce is required, its origin, and its place in the evidence. Base checks require that the
 * evidence holds the nonce, and that a challenge is fresh and used once. No policy can relax those.
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

/** Requires a nonce if the policy does. Otherwise warns that the evidence can be of any age. */
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
 * Appraises evidence that holds a key as PEM. That place holds no nonce, so the evidence can be of any age, even if the
 * quote holds one. A challenge that no evidence holds is only repeated by the request.
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

/**
 * Appraises whether the hardware report holds the nonce. A quote is made on demand. The paravisor makes a new hardware
 * report at most every two seconds, and a guest can send an old one.
 */
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

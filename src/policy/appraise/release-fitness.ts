import { hasParavisor } from '../../core/evidence-traits.js';
import type { Policy } from '../document/policy-document.js';

/**
 * The members that a policy lacks for a key release; empty if it lacks none. A release requires all of them. Without
 * one, the evidence would decide whether the key is released.
 */
export function lackingForRelease({
  routes,
  freshness,
  nonce,
  binding,
  paravisor,
  accepts,
}: Policy): readonly string[] {
  return [
    ...(routes.hardware === 'required' ? [] : ['routes: { hardware: required }']),
    // With `none`, the age of the hardware report is not checked, so nonce_stale, which stops a release, would never
    // occur.
    ...(freshness === 'none' ? ['freshness: strict or required'] : []),
    ...(nonce === 'challenge' ? [] : ['nonce: challenge']),
    ...(binding === 'required' ? [] : ['binding: required']),
    ...(paravisor === 'known' || !accepts.some(hasParavisor) ? [] : ['paravisor: known']),
  ];
}

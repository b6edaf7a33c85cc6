import { hasParavisor } from '../../core/evidence-traits.js';
import type { Policy } from '../document/policy-document.js';

/**
 * The members that a policy lacks for a key release; empty if it lacks none. Whatever it
 * says, a release needs all of it: a policy that leaves one to the evidence would hand out the key by chance.
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
    // With none, nobody looks how old the hardware report is: nonce_stale, which keeps a key back, would never be said.
    ...(freshness === 'none' ? ['freshness: strict or required'] : []),
    ...(nonce === 'challenge' ? [] : ['nonce: challenge']),
    ...(binding === 'required' ? [] : ['binding: required']),
    ...(paravisor === 'known' || !accepts.some(hasParavisor) ? [] : ['paravisor: known']),
  ];
}

import { hasParavisor } from '../model/evidence-traits.js';
import type { Policy } from './policy-document.js';

/**
 * What a policy lacks for a key to be released by it, as members that it must have; empty where it lacks nothing. Whatever it
 * says, a release needs all of it: a policy that leaves one to the evidence would hand out the key by chance.
 */
export function lackingForRelease({ routes, nonce, binding, paravisor, accepts }: Policy): readonly string[] {
  return [
    ...(routes.hardware === 'required' ? [] : ['routes: { hardware: required }']),
    ...(nonce === 'challenge' ? [] : ['nonce: challenge']),
    ...(binding === 'required' ? [] : ['binding: required']),
    ...(paravisor === 'known' || !accepts.some(hasParavisor) ? [] : ['paravisor: known']),
  ];
}

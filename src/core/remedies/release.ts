import type { RELEASE_CHECKS } from '../checks/release.js';
import type { Finding, RemediesOf } from '../checks/row.js';
import { faultsOf } from './words.js';

export const RELEASE_REMEDIES = {
  release_token_stale: 'The caller should get a token after the challenge was issued, and send it with that challenge.',
  release_other_vm: 'The caller should send a token of the same VM as the evidence.',
  release_key_unbound: 'The guest should bind the one key in x-ms-runtime of its token that encrypts.',
  release_refused: "The operator should compare the vault's release policy with the claims of the token.",
  release_warning: (finding) =>
    `The operator or the caller should resolve, ${waivedBy(finding)}: ${faultsOf(finding, 'every warning of this decision')}.`,
} satisfies RemediesOf<typeof RELEASE_CHECKS>;

/** A policy can waive some warnings, but no other reason that blocks a key release. */
function waivedBy({ faults = [] }: Pick<Finding, 'faults'>): string {
  const warnings = faults.filter((fault) => fault.endsWith(' is not waived')).length;
  if (warnings === faults.length) return 'or the policy waive';
  return warnings === 0 ? 'since no policy waives it' : 'or the policy waive where it can';
}

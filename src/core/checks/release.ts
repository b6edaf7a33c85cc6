import type { CheckRows, Finding } from './row.js';
import { faultsOf } from './words.js';

export const RELEASE_CHECKS = {
  release_token_stale: {
    holds: 'the token was issued after the challenge',
    fails: 'the token was issued before the challenge',
    remedy: 'The caller should get a token after the challenge was issued, and send it with that challenge.',
  },
  release_other_vm: {
    holds: 'the token is about the same VM as the evidence',
    fails: 'the token is about another VM than the evidence',
    remedy: 'The caller should send a token of the same VM as the evidence.',
  },
  release_key_unbound: {
    holds: 'the key is wrapped to the bound key',
    fails: 'the key would be wrapped to a key that is not the bound one',
    remedy: 'The guest should bind the one key in x-ms-runtime of its token that encrypts.',
  },
  release_refused: {
    holds: 'the vault releases the key',
    fails: 'the vault refuses to release the key',
    remedy: "The operator should compare the vault's release policy with the claims of the token.",
  },
  release_warning: {
    holds: 'the decision has no warning that is not waived',
    fails: 'the decision has a warning that is not waived',
    remedy: (finding) =>
      `The operator or the caller should resolve, ${waivedBy(finding)}: ${faultsOf(finding, 'every warning of this decision')}.`,
  },
} satisfies CheckRows;

/** A policy waives some of the warnings, and none of the other things that keep a key back. */
function waivedBy({ faults = [] }: Pick<Finding, 'faults'>): string {
  const warnings = faults.filter((fault) => fault.endsWith(' is not waived')).length;
  if (warnings === faults.length) return 'or the policy waive';
  return warnings === 0 ? 'since no policy waives it' : 'or the policy waive where it can';
}

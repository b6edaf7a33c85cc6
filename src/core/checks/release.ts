import type { CheckRows, Finding } from './row.js';
import { faultsOf } from './words.js';

export const RELEASE_CHECKS = {
  release_token_stale: {
    holds: 'the token was issued after the challenge',
    fails: 'the token was issued before the challenge',
    when: 'iat of the token is before the second in which the challenge was issued, by the record of the challenge',
    remedy: 'The caller should get a token after the challenge was issued, and send it with that challenge.',
  },
  release_other_vm: {
    holds: 'the token is about the same VM as the evidence',
    fails: 'the token is about another VM than the evidence',
    when: 'the attestation key of the vTPM is another, or the token does not name it; for evidence without vTPM, the report data',
    remedy: 'The caller should send a token of the same VM as the evidence.',
  },
  release_key_unbound: {
    holds: 'the key is wrapped to the bound key',
    fails: 'the key would be wrapped to a key that is not the bound one',
    when: 'x-ms-runtime of the token has no RSA key for encryption, or several, or one with another thumbprint than binding.jwk, or without a kid of its own; HCLAkPub is never one; the evidence does not vouch for binding.jwk',
    remedy: 'The guest should bind the one key in x-ms-runtime of its token that encrypts.',
  },
  release_refused: {
    holds: 'the vault releases the key',
    fails: 'the vault refuses to release the key',
    when: 'the vault says no, or answers with something else than the release that was asked for',
    remedy: "The operator should compare the vault's release policy with the claims of the token.",
  },
  release_warning: {
    holds: 'the decision has no warning that is not waived',
    fails: 'the decision has a warning that is not waived',
    when: 'a check of the decision is a warning without a waiver; the nonce is no unused challenge of this service; the verification time is in the past; the policy of the key lacks what a release needs',
    remedy: (finding) =>
      `The operator or the caller should resolve, ${waivedBy(finding)}: ${faultsOf(finding, 'every warning of this decision')}.`,
    examples: [
      { faults: ['the warning snp_product_advisory is not waived'] },
      { faults: ['the nonce is no unused challenge of this service'] },
    ],
  },
} satisfies CheckRows;

/** A policy waives some of the warnings, and none of the other things that keep a key back. */
function waivedBy({ faults = [] }: Pick<Finding, 'faults'>): string {
  const warnings = faults.filter((fault) => fault.endsWith(' is not waived')).length;
  if (warnings === faults.length) return 'or the policy waive';
  return warnings === 0 ? 'since no policy waives it' : 'or the policy waive where it can';
}

import type { CheckRows } from './row.js';

export const RELEASE_CHECKS = {
  release_token_stale: {
    holds: 'the token was issued after the challenge',
    fails: 'the token was issued before the challenge',
    when: 'never in this version, which releases no keys',
    remedy: 'The caller should get a token after the challenge was issued, and send it with that challenge.',
  },
  release_other_vm: {
    holds: 'the token is about the same VM as the evidence',
    fails: 'the token is about another VM than the evidence',
    when: 'never in this version, which releases no keys',
    remedy: 'The caller should send a token of the same VM as the evidence.',
  },
  release_key_unbound: {
    holds: 'the secret is wrapped to the bound key',
    fails: 'the secret would be wrapped to a key that is not the bound one',
    when: 'never in this version, which releases no keys',
    remedy: 'The guest should bind the key of its token that the secret is to be wrapped to.',
  },
  release_refused: {
    holds: 'the vault releases the key',
    fails: 'the vault refuses to release the key',
    when: 'never in this version, which releases no keys',
    remedy: "The operator should compare the vault's release policy with the claims of the token.",
  },
  release_warning: {
    holds: 'the decision has no warning that is not waived',
    fails: 'the decision has a warning that is not waived',
    when: 'never in this version, which releases no keys',
    remedy: 'The operator should resolve or waive every warning of this decision.',
  },
} satisfies CheckRows;

import type { CheckRows } from './row.js';

export const RELEASE_CHECKS = {
  release_token_stale: {
    holds: 'the token was issued after the challenge',
    fails: 'the token was issued before the challenge',
  },
  release_other_vm: {
    holds: 'the token is about the same VM as the evidence',
    fails: 'the token is about another VM than the evidence',
  },
  release_key_unbound: {
    holds: 'the key is wrapped to the bound key',
    fails: 'the key would be wrapped to a key that is not the bound one',
  },
  release_refused: {
    holds: 'the vault releases the key',
    fails: 'the vault refuses to release the key',
  },
  release_warning: {
    holds: 'the decision has no warning that is not waived',
    fails: 'the decision has a warning that is not waived',
  },
} satisfies CheckRows;

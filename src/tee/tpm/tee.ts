import type { TeeOf } from '../tee-of.js';
import { tpmIdentity } from './identity.js';
import { TpmOnlyVerifier } from './tpm-only-verifier.js';

export const TPM = {
  verifier: ({ tpmQuotes, akRoots, eventLogBytes }) => new TpmOnlyVerifier(tpmQuotes, akRoots, eventLogBytes),
  identity: tpmIdentity,
} satisfies TeeOf<'tpm'>;

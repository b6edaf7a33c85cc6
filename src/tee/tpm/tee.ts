import type { AkRoots } from '../shared/attestation-key/ak-roots.js';
import type { TpmQuoteVerifier } from '../shared/evidence/parts.js';
import type { TeeOf } from '../shared/tee.js';
import { tpmIdentity } from './identity.js';
import { TpmOnlyVerifier } from './tpm-only-verifier.js';

export interface Parts {
  readonly tpmQuotes: TpmQuoteVerifier;
  readonly akRoots: AkRoots;
  readonly eventLogBytes: number;
}

export const TPM = {
  verifier: ({ tpmQuotes, akRoots, eventLogBytes }: Parts) => new TpmOnlyVerifier(tpmQuotes, akRoots, eventLogBytes),
  identity: tpmIdentity,
} satisfies TeeOf<'tpm'>;

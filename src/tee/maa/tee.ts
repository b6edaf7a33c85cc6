import type { SnpReportVerifier } from '../shared/evidence/parts.js';
import type { TeeOf } from '../shared/tee.js';
import { tokenIdentity } from '../shared/tokens/token-identity.js';
import { MaaTokenVerifier, type MaaTokenVerifierOptions } from './maa-token-verifier.js';

export interface Parts {
  readonly maaTokens: MaaTokenVerifierOptions;
  readonly snpReports: SnpReportVerifier;
}

export const MAA_TOKEN = {
  verifier: ({ maaTokens, snpReports }: Parts) => new MaaTokenVerifier(maaTokens, snpReports),
  identity: tokenIdentity,
} satisfies TeeOf<'maa-token'>;

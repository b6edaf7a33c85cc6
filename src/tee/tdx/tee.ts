import type { TeeOf } from '../tee-of.js';
import { tdxIdentity } from './identity.js';
import { TdxVerifier } from './tdx-verifier.js';

export const TDX = {
  verifier: ({ tdQuotes, paravisorMrtds, eventLogBytes }) => new TdxVerifier(tdQuotes, paravisorMrtds, eventLogBytes),
  identity: tdxIdentity,
} satisfies TeeOf<'tdx'>;

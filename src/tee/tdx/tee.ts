import type { TdQuoteVerifier } from '../shared/evidence/parts.js';
import type { TeeOf } from '../shared/tee.js';
import { tdxIdentity } from './identity.js';
import { TdxVerifier } from './tdx-verifier.js';

export interface Parts {
  readonly tdQuotes: TdQuoteVerifier;
  /** MRTDs of paravisors that count as known, lower-case hex. */
  readonly paravisorMrtds: ReadonlySet<string>;
  /** The longest event log that is read. */
  readonly eventLogBytes: number;
}

export const TDX = {
  verifier: ({ tdQuotes, paravisorMrtds, eventLogBytes }: Parts) =>
    new TdxVerifier(tdQuotes, paravisorMrtds, eventLogBytes),
  identity: tdxIdentity,
} satisfies TeeOf<'tdx'>;

import type { TokenEvidence } from '../../../core/evidence.js';
import type { IdentityParts } from '../evidence/identity.js';

/**
 * The signed bytes: header and payload as sent, in ASCII (RFC 7515, section 5.1). The signature is no part of a
 * token's identity: for PS384 there are many for one token.
 */
export function tokenIdentity({ token }: TokenEvidence): IdentityParts {
  return { first: Buffer.from(token.slice(0, token.lastIndexOf('.')), 'ascii') };
}

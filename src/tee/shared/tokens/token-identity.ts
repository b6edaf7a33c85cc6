import type { TokenEvidence } from '../../../core/evidence.js';
import type { IdentityParts } from '../evidence/identity.js';

/**
 * Returns the signing input: header and payload as sent, in ASCII (RFC 7515, section 5.1). The signature is not part of
 * a token's identity, because one token can have many PS384 signatures.
 */
export function tokenIdentity({ token }: TokenEvidence): IdentityParts {
  return { first: Buffer.from(token.slice(0, token.lastIndexOf('.')), 'ascii') };
}

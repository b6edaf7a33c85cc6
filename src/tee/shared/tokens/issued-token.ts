import type { EndorsementRequest } from '../../../core/endorsement.js';
import { within } from '../../../core/errors.js';
import type { TokenEvidence, TokenType } from '../../../core/evidence.js';
import type { VerificationContext } from '../../../core/verification.js';
import {
  kidOf,
  type ReadToken,
  readToken,
  type TokenRules,
  type TokenScheme,
} from '../../../crypto/token/token-signature.js';

/** An issuer whose tokens are accepted. */
interface AcceptedIssuer {
  /** The value of `iss` in tokens. */
  readonly issuer: string;
}

/** The accepted issuers of a verifier. */
export interface TokenVerifierOptions<I extends AcceptedIssuer> {
  /** Accepted issuers, by `iss`, compared character by character. */
  readonly issuers: ReadonlyMap<string, I>;
  /** Leeway for the times of tokens, in both directions. */
  readonly leewaySeconds: number;
}

/** A parsed token, and the configured issuer that it names; null if it names none. Not verified. */
export interface IssuedToken<I extends AcceptedIssuer> {
  readonly token: ReadToken;
  readonly issuer: I | null;
}

/**
 * @param about JSON pointer of the token in the request
 * @throws {FormatError} if the token is malformed
 */
export function readIssuedToken<I extends AcceptedIssuer>(
  evidence: TokenEvidence,
  { issuers }: TokenVerifierOptions<I>,
  about: string,
): IssuedToken<I> {
  const token = within(about, () => readToken(evidence.token));
  const { iss } = token.claims;
  return { token, issuer: typeof iss === 'string' ? (issuers.get(iss) ?? null) : null };
}

/** Requests the keys that a token needs. Requests none if its issuer is not configured, or if it names no key. */
export function tokenKeysFor(
  { token, issuer }: IssuedToken<AcceptedIssuer>,
  type: TokenType,
): readonly EndorsementRequest[] {
  const kid = kidOf(token);
  if (issuer === null || kid === null) return [];
  return [{ kind: 'token-keys', type, issuer: issuer.issuer, kid }];
}

/** Maximum lifetime of a token, in seconds. Azure Attestation uses eight hours, Trust Authority five minutes. */
const LONGEST_LIFETIME = 86_400;

/**
 * Returns the rules for the verification of a token.
 *
 * @param issuer the configured issuer that the token names; null if it names none
 * @param scheme the token format of this type
 */
export function tokenRules(
  { issuers, leewaySeconds }: TokenVerifierOptions<AcceptedIssuer>,
  issuer: AcceptedIssuer | null,
  scheme: TokenScheme,
  { at, endorsements }: VerificationContext,
): TokenRules {
  return {
    scheme,
    issuer: issuer?.issuer ?? null,
    issuers: [...issuers.keys()],
    keys: endorsements.tokenKeys ?? null,
    at,
    leewaySeconds,
    longestLifetimeSeconds: LONGEST_LIFETIME,
    nbfIsOptional: false,
    audiences: null,
  };
}

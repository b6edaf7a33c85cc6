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
  /** Leeway for the times of tokens, both directions. */
  readonly leewaySeconds: number;
}

/** A token that was read, and the configured issuer that it names; null where it names none. Nothing is verified. */
export interface IssuedToken<I extends AcceptedIssuer> {
  readonly token: ReadToken;
  readonly issuer: I | null;
}

/**
 * @param about JSON pointer of the token in the request
 * @throws {FormatError} where the token is malformed
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

/** Names the keys that a token needs: none where its issuer is not a configured one, or where it does not name its key. */
export function tokenKeysFor(
  { token, issuer }: IssuedToken<AcceptedIssuer>,
  type: TokenType,
): readonly EndorsementRequest[] {
  const kid = kidOf(token);
  if (issuer === null || kid === null) return [];
  return [{ kind: 'token-keys', type, issuer: issuer.issuer, kid }];
}

/** Eight hours are usual at Azure, five minutes at Intel. */
const LONGEST_LIFETIME = 86_400;

/**
 * The dependencies of the verification of a token.
 *
 * @param issuer the configured issuer that the token names; null where it names none
 * @param scheme how tokens of this type are made
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

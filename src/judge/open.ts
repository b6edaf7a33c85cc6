import type { EndorsementRequest, EndorsementSet } from '../core/endorsement.js';
import type { TokenEvidence, TokenRoute } from '../core/evidence.js';
import { isTokenType, tokenRouteOf } from '../core/evidence-traits.js';
import type { Tracer } from '../core/traces.js';
import type {
  EvidenceVerifier,
  OpenedEvidence,
  OpenedToken,
  TokenVerifier,
  Verification,
  VerificationContext,
} from '../core/verification.js';
import { withHexNoncesNamed } from '../tee/shared/binding/nonce-in-hex.js';
import type { Terms } from './admit.js';
import type { RouteToken } from './route-tokens.js';

/** A decoded token. */
export interface OpenedRouteToken extends Pick<RouteToken, 'route' | 'about' | 'obtained'> {
  readonly opened: OpenedToken;
}

/** The decoded evidence and tokens of a request. */
export interface OpenedRequest {
  readonly evidence: OpenedEvidence;
  readonly tokens: readonly OpenedRouteToken[];
  /** The needs of the evidence, then those of each token. */
  readonly needs: readonly (readonly EndorsementRequest[])[];
}

/** Verifications of the evidence and the tokens in the request. */
export interface OwnResults {
  readonly verification: Verification;
  readonly tokens: readonly RouteToken[];
}

type Verifiers = ReadonlyMap<string, EvidenceVerifier>;

/** JSON pointer of the tokens of a request. */
export const RESULTS = '/attestationResults';

/** Decodes evidence and tokens, before any fetch. @throws {FormatError} if one of them is malformed */
export function openAll({ request, verifier }: Terms, verifiers: Verifiers): OpenedRequest {
  const evidence = verifier.open(request.evidence);
  const tokens = request.attestationResults.map((token, index) =>
    openToken(verifiers, token, { about: `${RESULTS}/${index}/token`, obtained: null }),
  );
  return { evidence, tokens, needs: [evidence.needs, ...tokens.map(({ opened }) => opened.needs)] };
}

/** @throws {FormatError} if the token is malformed */
export function openToken(
  verifiers: Verifiers,
  token: TokenEvidence,
  { about, obtained }: Pick<RouteToken, 'about' | 'obtained'>,
): OpenedRouteToken {
  const verifier = verifiers.get(token.type);
  if (verifier === undefined || !isTokenVerifier(verifier)) throw new Error(`no verifier for ${token.type}`);
  const route: TokenRoute = tokenRouteOf(token.type);
  return { route, about, obtained, opened: verifier.openResult(token, about) };
}

/** Verifiers of token types are token verifiers. */
function isTokenVerifier(verifier: EvidenceVerifier): verifier is EvidenceVerifier & TokenVerifier {
  return isTokenType(verifier.evidenceType);
}

/**
 * Verifies evidence and tokens with their endorsements.
 * @param sets in the order of the needs of the request
 * @throws {FormatError} if content is malformed that can only be decoded with an endorsement
 */
export async function verifyAll(
  { evidence, tokens }: OpenedRequest,
  [ofEvidence, ...ofTokens]: readonly EndorsementSet[],
  { at, binding }: Pick<VerificationContext, 'at' | 'binding'>,
  tracer: Tracer,
): Promise<OwnResults> {
  if (ofEvidence === undefined || ofTokens.length !== tokens.length) throw new Error('endorsements are missing');
  const verification = await tracer.span('verify evidence', () =>
    verifyEvidence(evidence, { at, binding, endorsements: ofEvidence }),
  );
  if (tokens.length === 0) return { verification, tokens: [] };
  const verifying = () =>
    Promise.all(
      tokens.map((token, index) =>
        verifyToken(token, { at, binding, endorsements: ofTokens[index] as EndorsementSet }),
      ),
    );
  return { verification, tokens: await tracer.span('verify tokens', verifying) };
}

/** @throws {FormatError} as `OpenedEvidence.verify` */
export async function verifyEvidence(evidence: OpenedEvidence, context: VerificationContext): Promise<Verification> {
  const result: unknown = await evidence.verify(context);
  if (!isVerification(result)) throw new TypeError('the verifier returned no verification');
  return { ...result, checks: withHexNoncesNamed(result.checks, context.binding) };
}

/** @throws {FormatError} as `OpenedToken.verify` */
export async function verifyToken(
  { opened, ...token }: OpenedRouteToken,
  context: VerificationContext,
): Promise<RouteToken> {
  return { ...token, verification: await opened.verify(context) };
}

/** Checks the result of a verifier, so that no other value reaches a policy. */
function isVerification(result: unknown): result is Verification {
  if (typeof result !== 'object' || result === null) return false;
  const { checks, required, claims } = result as { readonly [member in keyof Verification]?: unknown };
  return Array.isArray(checks) && Array.isArray(required) && typeof claims === 'object' && claims !== null;
}

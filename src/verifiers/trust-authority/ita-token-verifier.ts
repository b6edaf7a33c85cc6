import { inject, injectable } from 'tsyringe';
import { CheckList } from '../../model/check.js';
import type { TokenClaims } from '../../model/claims.js';
import type { CheckId } from '../../model/codes.js';
import { earliest } from '../../model/earliest.js';
import type { EndorsementRequest, Sourced, TokenKeySet, UsedEndorsement } from '../../model/endorsement.js';
import type { ItaTokenEvidence } from '../../model/evidence.js';
import { TOKENS } from '../../model/injection-tokens.js';
import type {
  TokenContext,
  TokenVerification,
  TokenVerifier,
  Verification,
  VerificationContext,
} from '../../model/verification.js';
import { boundPlaces, heldValues } from '../binding/held-value.js';
import { markVerified } from '../evidence/mark-verified.js';
import { readIssuedToken, type TokenVerifierOptions, tokenKeysFor, tokenRules } from '../tokens/issued-token.js';
import type { KeyCertificates } from '../tokens/token-certificates.js';
import { refusedToken, TOKEN, usedKey, verifyTokenEvidence } from '../tokens/token-evidence.js';
import {
  type ReadToken,
  TOKEN_CHECKS,
  type TokenScheme,
  type VerifiedToken,
  verifyToken,
} from '../tokens/token-verification.js';
import { noncePlaces } from './ita-binding.js';
import { attesterTypeOf, type ItaStatement, readStatement } from './ita-statement.js';
import { CHAIN_CHECKS, type ItaIssuer, verifyKeyTrust } from './key-trust.js';
import { verifyDebug, verifyPolicies, verifyTcbStatus } from './td-checks.js';

export type ItaTokenVerifierOptions = TokenVerifierOptions<ItaIssuer>;

const SCHEME: TokenScheme = {
  type: 'ita-token',
  verifier: 'trust authority',
  issuerSettings: 'ita.issuers',
  keysSetting: 'ita.issuers[].keys',
  algorithms: ['PS384', 'RS256'],
};

/** What rests on the token being about a TD. */
const TD_CHECKS = ['ita_tcb_status', 'ita_debug', 'ita_policy'] as const satisfies readonly CheckId[];

const REQUIRED: readonly CheckId[] = [...TOKEN_CHECKS, 'token_claim_type', ...TD_CHECKS];

/**
 * Verifies tokens of Intel Trust Authority about TDs. The steps, and the checks that are deliberately not made, are in
 * README.md beside this file.
 */
@injectable()
export class ItaTokenVerifier implements TokenVerifier<'ita-token'> {
  readonly evidenceType = 'ita-token';
  readonly #options: ItaTokenVerifierOptions;

  constructor(@inject(TOKENS.itaTokenVerifierOptions) options: ItaTokenVerifierOptions) {
    this.#options = options;
  }

  endorsementsFor(evidence: ItaTokenEvidence): readonly EndorsementRequest[] {
    return this.keysFor(evidence, TOKEN);
  }

  verify(evidence: ItaTokenEvidence, context: VerificationContext): Promise<Verification> {
    return verifyTokenEvidence(this, evidence, context);
  }

  keysFor(evidence: ItaTokenEvidence, about: string): readonly EndorsementRequest[] {
    return tokenKeysFor(readIssuedToken(evidence, this.#options, about), this.evidenceType);
  }

  async verifyToken(evidence: ItaTokenEvidence, context: TokenContext): Promise<TokenVerification> {
    const { about, endorsements } = context;
    const { token, issuer } = readIssuedToken(evidence, this.#options, about);
    const required = issuer === null || issuer.roots === null ? REQUIRED : [...REQUIRED, ...CHAIN_CHECKS];
    const checks = new CheckList();
    const keys = endorsements.tokenKeys ?? null;
    const verified = await verifyToken(checks, token, tokenRules(this.#options, issuer, SCHEME, context));
    if (verified === null || issuer === null || !isKeySet(keys))
      return refusedToken(checks, required, about, 'the token could not be relied on');
    const certificates = verifyKeyTrust(checks, verified.key, issuer, keys.value, context);
    if (certificates === null)
      return refusedToken(checks, required, about, 'the certificates of the key could not be relied on');
    return judgeClaims(checks, token, { issuer, verified, certificates }, required, context);
  }
}

/** By whom a token is signed, and how that is known. */
interface Signed {
  readonly issuer: ItaIssuer;
  readonly verified: VerifiedToken;
  readonly certificates: KeyCertificates;
}

function isKeySet(keys: TokenContext['endorsements']['tokenKeys']): keys is Sourced<TokenKeySet> {
  return keys !== null && keys !== undefined && 'value' in keys;
}

function judgeClaims(
  checks: CheckList,
  token: ReadToken,
  signed: Signed,
  required: readonly CheckId[],
  { about, binding }: TokenContext,
): TokenVerification {
  const statement = readStatement(checks, token.claims, about);
  if (statement === null) {
    checks.skip(TD_CHECKS, about, 'the token does not say what was attested');
  } else {
    verifyTcbStatus(checks, statement, about);
    verifyDebug(checks, statement, about);
    verifyPolicies(checks, statement, signed.issuer, about);
  }
  const places = statement === null || binding === null ? [] : noncePlaces(statement, binding);
  return {
    checks: checks.all,
    required,
    claims: markVerified({ ita: claimsOf(token, signed.issuer, statement) }),
    endorsements: [signingKey(signed)],
    bound: boundPlaces(places),
    held: heldValues(places),
    validUntil: earliest(signed.verified.expiresAt, signed.certificates.validUntil),
    clockSkewSeconds: signed.verified.clockSkewSeconds,
    // Of a paravisor the service says nothing.
    vouchesForParavisor: false,
  };
}

function signingKey({ issuer, verified }: Signed): UsedEndorsement {
  return { ...usedKey(verified), revocation: issuer.roots === null ? 'not_applicable' : 'good' };
}

function claimsOf({ claims }: ReadToken, { issuer }: ItaIssuer, statement: ItaStatement | null): TokenClaims {
  const status = statement?.td['attester_tcb_status'];
  return {
    issuer,
    attestationType: attesterTypeOf(claims) ?? '',
    policyHash: null,
    claims,
    stated: {
      complianceStatus: null,
      secureBoot: null,
      tcbStatus: typeof status === 'string' ? status : null,
      matchedPolicyIds: statement?.matchedPolicyIds ?? [],
    },
  };
}

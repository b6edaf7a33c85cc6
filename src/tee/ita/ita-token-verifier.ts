import type { Checks } from '../../core/check.js';
import type { TokenClaims } from '../../core/claims.js';
import type { CheckId } from '../../core/codes.js';
import { earliest } from '../../core/earliest.js';
import type { ItaTokenEvidence } from '../../core/evidence.js';
import type { OpenedToken, TokenVerification, TokenVerifier, VerificationContext } from '../../core/verification.js';
import { type ReadToken, TOKEN_CHECKS, type TokenScheme, verifyToken } from '../../crypto/token/token-signature.js';
import { checksAt } from '../catalogue.js';
import { boundPlaces, heldValues } from '../shared/binding/held-value.js';
import { markVerified } from '../shared/evidence/mark-verified.js';
import {
  type IssuedToken,
  readIssuedToken,
  type TokenVerifierOptions,
  tokenKeysFor,
  tokenRules,
} from '../shared/tokens/issued-token.js';
import { verifyTcbStatus } from '../shared/tokens/tcb-status.js';
import { asEvidence, refusedToken, TOKEN, usedKey } from '../shared/tokens/token-evidence.js';
import { noncePlaces } from './ita-binding.js';
import { attesterTypeOf, type ItaStatement, readStatement } from './ita-statement.js';
import { CHAIN_CHECKS, type ItaIssuer, verifyKeyTrust } from './key-trust.js';
import { verifyDebug, verifyPolicies } from './statement-checks.js';

export type ItaTokenVerifierOptions = TokenVerifierOptions<ItaIssuer>;

const SCHEME: TokenScheme = {
  type: 'ita-token',
  verifier: 'Intel Trust Authority',
  issuerSettings: 'ita.issuers',
  keysSetting: 'ita.issuers[].keys',
  algorithms: ['PS384', 'RS256'],
};

/** The checks that need a token about a TD. */
const TD_CHECKS = ['ita_tcb_status', 'ita_debug', 'ita_policy'] as const satisfies readonly CheckId[];

const REQUIRED: readonly CheckId[] = [...TOKEN_CHECKS, 'token_claim_type', ...TD_CHECKS];

const UNTRUSTED_KEY = 'the certificates of the key could not be relied on';

/**
 * Verifies tokens of Intel Trust Authority about TDs. README.md in this folder lists the steps and the checks that are
 * deliberately not made.
 */
export class ItaTokenVerifier implements TokenVerifier<'ita-token'> {
  readonly evidenceType = 'ita-token';
  readonly #options: ItaTokenVerifierOptions;

  constructor(options: ItaTokenVerifierOptions) {
    this.#options = options;
  }

  open(evidence: ItaTokenEvidence): OpenedToken {
    return asEvidence(this.openResult(evidence, TOKEN));
  }

  openResult(evidence: ItaTokenEvidence, about: string): OpenedToken {
    const issued = readIssuedToken(evidence, this.#options, about);
    return {
      needs: tokenKeysFor(issued, this.evidenceType),
      verify: (context) => this.#verify(checksAt(about), issued, context),
    };
  }

  /** Runs steps 2 to 12 of README.md in this folder. `open` runs step 1. */
  async #verify(
    checks: Checks,
    { token, issuer }: IssuedToken<ItaIssuer>,
    context: VerificationContext,
  ): Promise<TokenVerification> {
    const required = issuer === null || issuer.roots === null ? REQUIRED : [...REQUIRED, ...CHAIN_CHECKS];
    const keys = context.endorsements.tokenKeys ?? null;

    // 2 to 6. Algorithm, issuer, key, signature and times, as for every token.
    const verified = await verifyToken(checks, token, tokenRules(this.#options, issuer, SCHEME, context));
    if (verified === null || issuer === null || keys === null || 'code' in keys) {
      return refusedToken(checks, required, 'the token could not be relied on');
    }

    // 7. The certificates of the key.
    const certificates = verifyKeyTrust(checks, verified.key, issuer, keys.value, context.at);
    if (certificates === null) return refusedToken(checks, required, UNTRUSTED_KEY);

    // 8. The claims about the TD.
    const statement = readStatement(checks, token.claims);

    // 9 to 11. The TCB status of the TD, debug, and the matched policies.
    verifyStatement(checks, statement, issuer);

    // 12. The places that hold the nonce. The code that opened the token requires at least one.
    const { binding } = context;
    const places = statement === null || binding === null ? [] : noncePlaces(statement, binding);
    return {
      checks: checks.all,
      required,
      claims: markVerified({ ita: itaTokenClaims(token, issuer, statement) }),
      endorsements: [{ ...usedKey(verified), revocation: issuer.roots === null ? 'not_applicable' : 'good' }],
      bound: boundPlaces(places),
      held: heldValues(places),
      validUntil: earliest(verified.expiresAt, certificates.validUntil),
      clockSkewSeconds: verified.clockSkewSeconds,
      // Trust Authority makes no statement about a paravisor.
      vouchesForParavisor: false,
    };
  }
}

function verifyStatement(checks: Checks, statement: ItaStatement | null, issuer: ItaIssuer): void {
  if (statement === null) {
    checks.skip(TD_CHECKS, 'the token does not say what was attested');
    return;
  }
  verifyTcbStatus(checks, 'ita_tcb_status', SCHEME.verifier, statement.td['attester_tcb_status'] ?? null);
  verifyDebug(checks, statement);
  verifyPolicies(checks, statement, issuer);
}

function itaTokenClaims({ claims }: ReadToken, { issuer }: ItaIssuer, statement: ItaStatement | null): TokenClaims {
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

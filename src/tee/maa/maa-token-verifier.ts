import type { Checks } from '../../core/check.js';
import type { SnpProduct, TokenClaims } from '../../core/claims.js';
import type { CheckId } from '../../core/codes.js';
import { earliest } from '../../core/earliest.js';
import { FormatError, within } from '../../core/errors.js';
import type { MaaTokenEvidence } from '../../core/evidence.js';
import type { JsonObject } from '../../core/json.js';
import type { OpenedToken, TokenVerification, TokenVerifier, VerificationContext } from '../../core/verification.js';
import { type ReadToken, TOKEN_CHECKS, type TokenScheme, verifyToken } from '../../crypto/token/token-signature.js';
import { checksAt } from '../catalogue.js';
import { boundPlaces, heldValues } from '../shared/binding/held-value.js';
import { markVerified } from '../shared/evidence/mark-verified.js';
import type { SnpReportVerifier } from '../shared/evidence/parts.js';
import {
  type IssuedToken,
  readIssuedToken,
  type TokenVerifierOptions,
  tokenKeysFor,
  tokenRules,
} from '../shared/tokens/issued-token.js';
import { verifyTcbStatus } from '../shared/tokens/tcb-status.js';
import { asEvidence, refusedToken, TOKEN, usedKey } from '../shared/tokens/token-evidence.js';
import { type MaaIssuer, verifyIssuerPolicy } from './issuer-policy.js';
import { noncePlaces } from './maa-binding.js';
import { complianceStatusOf, type MaaStatement, readStatement, tcbStatusOf, verifyDebug } from './maa-statement.js';
import { verifySigner } from './token-signer.js';

/** Issuers are named by their URL, without port, path or trailing slash. */
export interface MaaTokenVerifierOptions extends TokenVerifierOptions<MaaIssuer> {
  /** Product lines that the operator refuses. */
  readonly refuseProducts: ReadonlySet<SnpProduct>;
}

const SCHEME: TokenScheme = {
  type: 'maa-token',
  verifier: 'Azure Attestation',
  issuerSettings: 'maa.shared or maa.issuers',
  keysSetting: 'maa.issuers[].keys',
  algorithms: ['RS256'],
};

/** Checks of the content of a verified token. */
const STATEMENT_CHECKS = [
  'token_issuer_policy',
  'token_claim_type',
  'token_debug',
] as const satisfies readonly CheckId[];

const REQUIRED: readonly CheckId[] = [...TOKEN_CHECKS, ...STATEMENT_CHECKS];

/**
 * Verifies tokens of Microsoft Azure Attestation: `azurevm`, `sevsnpvm` and `tdxvm`. README.md in this folder lists the
 * steps and the checks that are deliberately not made.
 */
export class MaaTokenVerifier implements TokenVerifier<'maa-token'> {
  readonly evidenceType = 'maa-token';
  readonly #options: MaaTokenVerifierOptions;
  readonly #reports: SnpReportVerifier;

  /** @param reports verifier of the SNP reports in certificates of TEE-protected signers */
  constructor(options: MaaTokenVerifierOptions, reports: SnpReportVerifier) {
    this.#options = options;
    this.#reports = reports;
  }

  open(evidence: MaaTokenEvidence): OpenedToken {
    return asEvidence(this.openResult(evidence, TOKEN));
  }

  openResult(evidence: MaaTokenEvidence, about: string): OpenedToken {
    const issued = readIssuedToken(evidence, this.#options, about);
    const { token, issuer } = issued;
    if (issuer !== null) within(about, () => requireOwnKeyPlace(token, issuer));
    return {
      needs: tokenKeysFor(issued, this.evidenceType),
      verify: (context) => this.#verify(checksAt(about), issued, context),
    };
  }

  /** Runs steps 4 to 17 of README.md in this folder. `open` runs steps 1 to 3. */
  async #verify(
    checks: Checks,
    { token, issuer }: IssuedToken<MaaIssuer>,
    context: VerificationContext,
  ): Promise<TokenVerification> {
    // 4 to 9. Algorithm, issuer, key, signature and times, as for every token.
    const verified = await verifyToken(checks, token, tokenRules(this.#options, issuer, SCHEME, context));
    if (verified === null || issuer === null) return refusedToken(checks, REQUIRED, 'the token could not be relied on');

    // 10 and 11. The certificates of the key, and the evidence in them.
    const signer = await verifySigner(checks, verified.key, issuer, this.#reports, context.at);
    if (signer === null) return refusedToken(checks, REQUIRED, 'the certificates of the key could not be relied on');

    // 12. The policy of the issuer.
    const isPinned = verifyIssuerPolicy(checks, token.claims, issuer);

    // 13. The claims about the TEE.
    const statement = readStatement(checks, token.claims);

    // 14 to 16. Debug, the TCB status of a TD, and the AMD product line, which the token does not name.
    if (statement === null) checks.skip(['token_debug'], 'the token does not say what was attested');
    else verifyDebug(checks, statement);
    const ofTee = statement === null ? [] : this.#verifyTee(checks, statement);

    // 17. The places that hold the nonce. The caller of this verifier requires at least one.
    const { binding } = context;
    const places = statement === null || binding === null ? [] : noncePlaces(statement, binding);
    return {
      checks: checks.all,
      required: [...REQUIRED, ...ofTee],
      claims: markVerified({ maa: maaTokenClaims(token, issuer, statement) }),
      endorsements: [usedKey(verified)],
      bound: boundPlaces(places),
      held: heldValues(places),
      validUntil: earliest(verified.expiresAt, signer.validUntil),
      clockSkewSeconds: verified.clockSkewSeconds,
      vouchesForParavisor:
        isPinned && statement !== null && complianceStatusOf(statement) === COMPLIANT && checks.holds('token_debug'),
    };
  }

  /** @returns the additional checks that must have an outcome for a token about this TEE */
  #verifyTee(checks: Checks, statement: MaaStatement): readonly CheckId[] {
    if (statement.tee === 'tdxvm') {
      verifyTcbStatus(checks, 'maa_tcb_status', SCHEME.verifier, tcbStatusOf(statement));
      return ['maa_tcb_status'];
    }
    // If hardware evidence came with the token, its product line counts.
    if (checks.about !== TOKEN) return [];
    verifyUnnamedProduct(checks, this.#options.refuseProducts);
    return ['snp_product_refused'];
  }
}

const COMPLIANT = 'azure-compliant-cvm';

/** Fails if the operator refuses a product line: tokens about SEV-SNP VMs do not name theirs. */
function verifyUnnamedProduct(checks: Checks, refuseProducts: ReadonlySet<SnpProduct>): void {
  checks.require(refuseProducts.size === 0, 'snp_product_refused', {
    expected: [...refuseProducts].map((refused) => `not ${refused}`),
    otherwise: 'the token does not name the product line of the VM, and the operator refuses some',
  });
}

/**
 * Requires that the token names no location for its keys other than the issuer's own, as genuine tokens do (TOK-02).
 */
function requireOwnKeyPlace({ jws }: ReadToken, { issuer }: MaaIssuer): void {
  const { jku } = jws.header;
  if (jku !== undefined && jku !== `${issuer}/certs`) {
    throw new FormatError('token_header', 'jku is not where the keys of the issuer are');
  }
}

function maaTokenClaims(token: ReadToken, { issuer }: MaaIssuer, statement: MaaStatement | null): TokenClaims {
  const { 'x-ms-attestation-type': type, 'x-ms-policy-hash': policyHash } = token.claims;
  return {
    issuer,
    attestationType: statement?.attestationType ?? (typeof type === 'string' ? type : ''),
    policyHash: typeof policyHash === 'string' ? policyHash : null,
    claims: token.claims,
    stated: {
      complianceStatus: statement === null ? null : complianceStatusOf(statement),
      secureBoot: statement?.attestationType === 'azurevm' ? secureBootOf(token.claims) : null,
      tcbStatus: statement === null ? null : tcbStatusOf(statement),
      matchedPolicyIds: [],
    },
  };
}

function secureBootOf({ secureboot: state }: JsonObject): boolean | null {
  return typeof state === 'boolean' ? state : null;
}

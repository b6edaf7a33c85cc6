import { createHash } from 'node:crypto';
import type { Sourced, TokenKeySet, Unavailable } from '../../../../src/core/endorsement.js';
import type { JsonObject } from '../../../../src/core/json.js';
import type { TokenVerification, Verification } from '../../../../src/core/verification.js';
import { parseKeySet } from '../../../../src/formats/json-web-key-set.js';
import { ItaTokenVerifier } from '../../../../src/tee/ita/ita-token-verifier.js';
import type { ItaIssuer } from '../../../../src/tee/ita/key-trust.js';
import { expectedBinding } from '../../../../src/tee/shared/binding/expected-binding.js';
import { makeToken, registeredClaims, type TokenMaking } from '../../../lab/token-making.js';
import { type TrustAuthorityClaimsOptions, trustAuthorityClaims } from '../../../lab/trust-authority-claims.js';
import { type ItaAlgorithm, TrustAuthorityPki } from '../../../lab/trust-authority-pki.js';

/** A Trust Authority without its server: keys, certificates and tokens. */

export const AT = new Date('2026-06-01T12:00:00Z');
export const NOW = AT.getTime() / 1000;
export const ISSUER = 'Intel Trust Authority';
export const ABOUT = '/attestationResults/0';
export const PKI = new TrustAuthorityPki({ keys: 'ita', at: AT, origin: 'https://ita.example' });
export const ROOT = createHash('sha256').update(PKI.rootCertificate()).digest('hex');
export const CRLS = [PKI.crl('signing-ca', new Set()), PKI.crl('root-ca', new Set())];

export const NONCE = Uint8Array.from({ length: 32 }, (_, index) => 0x40 + index);
export const OTHER_NONCE = Uint8Array.from({ length: 32 }, (_, index) => 0x80 + index);

export interface TokenOptions extends TokenMaking, TrustAuthorityClaimsOptions {
  readonly signer?: ItaAlgorithm;
}

/** A token about a TD, genuine but for what is said. */
export function tokenOf(options: TokenOptions = {}): string {
  const { version, tdx, verifierNonce, policies, signer = 'PS384', ...making } = options;
  const about: TrustAuthorityClaimsOptions = {
    ...(version === undefined ? {} : { version }),
    ...(tdx === undefined ? {} : { tdx }),
    ...(verifierNonce === undefined ? {} : { verifierNonce }),
    ...(policies === undefined ? {} : { policies }),
  };
  return makeToken(
    {
      header: { jku: 'https://ita.example/certs', kid: PKI.kid(signer), typ: 'JWT' },
      claims: { ...trustAuthorityClaims(about), ...registeredClaims(ISSUER, AT, 300) },
      key: PKI.tokenKey(signer).privateKey,
      algorithm: signer,
    },
    making,
  );
}

/** A key set as the source of endorsements hands it over. */
export function keysOf(
  jwks: readonly JsonObject[] = [PKI.jwk('PS384'), PKI.jwk('RS256')],
  crls: readonly Uint8Array[] = [],
): Sourced<TokenKeySet> {
  const { keys } = parseKeySet(Buffer.from(JSON.stringify({ keys: jwks })));
  return { value: { keys, crls }, origin: 'network' };
}

export interface Judging {
  readonly roots?: ItaIssuer['roots'];
  readonly policyIds?: readonly string[];
  readonly keys?: Sourced<TokenKeySet> | Unavailable | null;
  readonly nonce?: Uint8Array | null;
  readonly jwk?: JsonObject | null;
  readonly at?: Date;
  readonly leewaySeconds?: number;
}

export function verifierOf({ roots = null, policyIds = [], leewaySeconds = 60 }: Judging = {}): ItaTokenVerifier {
  const issuer = { issuer: ISSUER, roots, policyIds: new Set(policyIds) };
  return new ItaTokenVerifier({ issuers: new Map([[ISSUER, issuer]]), leewaySeconds });
}

const KEYS = keysOf();

function contextOf({ keys = KEYS, nonce = null, jwk = null, at = AT }: Judging) {
  return {
    at,
    endorsements: { snp: null, tokenKeys: keys },
    binding: nonce === null ? null : expectedBinding(nonce, jwk),
  };
}

/** A token beside other evidence. */
export async function verifyToken(token: string, judging: Judging = {}): Promise<TokenVerification> {
  return verifierOf(judging).openResult({ type: 'ita-token', token }, ABOUT).verify(contextOf(judging));
}

/** A token as the evidence. */
export async function verifyEvidence(token: string, judging: Judging = {}): Promise<Verification> {
  return verifierOf(judging).open({ type: 'ita-token', token }).verify(contextOf(judging));
}

import { SHARED_REGIONS, sharedProvider } from '../../core/azure-attestation-regions.js';
import { hex } from '../../core/bytes.js';
import type { Checks } from '../../core/check.js';
import { isObject, type JsonObject, type JsonValue } from '../../core/json.js';
import { sha256 } from '../../crypto/digest.js';
import { base64OrNull } from '../shared/binding/held-value.js';

/** An instance of Azure Attestation whose tokens are accepted. */
export interface MaaIssuer {
  /** Its URL, as tokens have it in `iss`. */
  readonly issuer: string;
  /**
   * Values that `x-ms-policy-hash` may have; `shared` for a provider whose policy Microsoft writes; `any` if the
   * owner of the instance is trusted, regardless of the claims that its policy issues.
   */
  readonly policyHashes: ReadonlySet<string> | 'shared' | 'any';
  /** SHA-256 of the certificates that may have signed the policy, lower-case hex; null where any may. */
  readonly policySigners: ReadonlySet<string> | null;
  /** Whether the certificate of the signing key must prove that the key is protected by a TEE. */
  readonly teeSigner: 'any' | 'required';
}

/** The shared providers of regions, by `iss`: Microsoft writes their policy, and any of its signers may have signed it. */
export function sharedMaaIssuers(regions: readonly string[] = SHARED_REGIONS): ReadonlyMap<string, MaaIssuer> {
  const issuers = regions.map(
    (region): MaaIssuer => ({
      issuer: sharedProvider(region),
      policyHashes: 'shared',
      policySigners: null,
      teeSigner: 'any',
    }),
  );
  return new Map(issuers.map((issuer) => [issuer.issuer, issuer]));
}

/**
 * The policy under which the token was issued. The owner of an instance can issue claims of any name: without the
 * policy's hash a claim proves nothing (Microsoft, Azure Attestation policy grammar).
 *
 * @returns whether the policy is pinned by its hash: only then can the token make a paravisor known. That of a shared
 *   provider is accepted as it is, and may change at any time
 */
export function verifyIssuerPolicy(checks: Checks, claims: JsonObject, issuer: MaaIssuer): boolean {
  const { policyHashes, policySigners } = issuer;
  const hash = claims['x-ms-policy-hash'] ?? null;
  const isListed = typeof policyHashes !== 'object' || (typeof hash === 'string' && policyHashes.has(hash));
  if (!isListed) {
    checks.fail('token_issuer_policy', { expected: [...policyHashes], actual: hash });
    return false;
  }
  const signer = signerOf(claims);
  if (policySigners !== null && (signer === null || !policySigners.has(signer))) {
    // The policy is listed, but its signer is not.
    const [expected, actual] = [{ policySigner: [...policySigners] }, { policySigner: signer }];
    checks.fail('token_issuer_policy', { expected, actual, detail: NOT_SIGNED });
    return false;
  }
  if (policyHashes === 'any') {
    checks.warn('token_issuer_policy', { actual: hash, detail: ANY_POLICY });
    return false;
  }
  if (policyHashes === 'shared') {
    checks.pass('token_issuer_policy', { actual: hash, detail: SHARED_POLICY });
    return false;
  }
  checks.pass('token_issuer_policy', { expected: [...policyHashes], actual: hash });
  return true;
}

const NOT_SIGNED = 'the policy is not signed by a signer that maa.issuers[].policySigner lists for this issuer';
const ANY_POLICY = 'maa.issuers[].policyHash is any: whoever owns the instance can issue any claim';
const SHARED_POLICY = 'the provider is a shared one (maa.shared or maa.issuers), whose policy Microsoft writes';

/**
 * `x-ms-policy-signer` is the JWK of the signer, its certificate in `x5c`: SHA-256 of that; null where there is none.
 */
function signerOf(claims: JsonObject): string | null {
  const signer = claims['x-ms-policy-signer'] ?? null;
  const chain: JsonValue = isObject(signer) ? (signer['x5c'] ?? null) : null;
  const [first] = Array.isArray(chain) ? chain : [];
  const der = base64OrNull(first);
  return der === null ? null : hex(sha256(der));
}

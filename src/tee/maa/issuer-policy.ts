import { SHARED_REGIONS, sharedProvider } from '../../core/azure-attestation-regions.js';
import { hex } from '../../core/bytes.js';
import type { Checks } from '../../core/check.js';
import { isObject, type JsonObject, type JsonValue } from '../../core/json.js';
import { sha256 } from '../../crypto/digest.js';
import { base64OrNull } from '../shared/binding/held-value.js';

/** An accepted instance of Azure Attestation. */
export interface MaaIssuer {
  /** Its URL, the value of `iss` in tokens. */
  readonly issuer: string;
  /**
   * Accepted values of `x-ms-policy-hash`; `shared` for a provider with Microsoft's policy; `any` if the owner of the
   * instance is trusted, regardless of the claims that its policy issues.
   */
  readonly policyHashes: ReadonlySet<string> | 'shared' | 'any';
  /** SHA-256 of the accepted certificates of policy signers, lower-case hex. Null: every signer is accepted. */
  readonly policySigners: ReadonlySet<string> | null;
  /** Whether the certificate of the signing key must prove that the key is protected by a TEE. */
  readonly teeSigner: 'any' | 'required';
}

/**
 * The shared providers of regions by `iss`. Microsoft writes their policy, so the signer of the policy is not checked.
 */
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
 * Verifies the policy under which the token was issued. The owner of an instance can issue claims of any name, so
 * without a pinned policy hash a claim proves nothing (Microsoft, Azure Attestation policy grammar).
 *
 * @returns whether the policy is pinned by its hash. Only then can the token make a paravisor known. The policy of a
 *   shared provider is accepted but not pinned, because Microsoft can change it at any time
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
 * SHA-256 of the signer's certificate, from `x5c` of the JWK in `x-ms-policy-signer`; null if absent.
 */
function signerOf(claims: JsonObject): string | null {
  const signer = claims['x-ms-policy-signer'] ?? null;
  const chain: JsonValue = isObject(signer) ? (signer['x5c'] ?? null) : null;
  const [first] = Array.isArray(chain) ? chain : [];
  const der = base64OrNull(first);
  return der === null ? null : hex(sha256(der));
}

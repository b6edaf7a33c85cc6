import type { JsonObject } from '../../src/core/json.js';

/** The statements of an instance about itself at `/.well-known/openid-configuration`. */
export function maaDiscoveryDocument(issuer: string): JsonObject {
  return {
    issuer,
    jwks_uri: `${issuer}/certs`,
    revocation_endpoint: `${issuer}/revoke`,
    response_types_supported: ['token', 'none'],
    id_token_signing_alg_values_supported: ['RS256'],
    claims_supported: [
      'iss',
      'iat',
      'nbf',
      'exp',
      'jti',
      'nonce',
      'x-ms-attestation-type',
      'x-ms-policy-hash',
      'x-ms-runtime',
    ],
  };
}

/** An `iss` of tokens of Intel Trust Authority, and the portal that serves the keys. */
export interface TrustAuthorityIssuer {
  readonly issuer: string;
  readonly portal: string;
}

const PORTAL = 'https://portal.trustauthority.intel.com';
const EU_PORTAL = 'https://portal.eu.trustauthority.intel.com';

/** Tokens name the service, as older ones do, or the portal of their region. */
export const TRUST_AUTHORITY_ISSUERS: readonly TrustAuthorityIssuer[] = [
  { issuer: 'Intel Trust Authority', portal: PORTAL },
  { issuer: PORTAL, portal: PORTAL },
  { issuer: EU_PORTAL, portal: EU_PORTAL },
];

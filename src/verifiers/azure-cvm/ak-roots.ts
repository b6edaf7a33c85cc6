/** Keys that certificates of attestation keys may end at: SHA-256 of the SubjectPublicKeyInfo, lower-case hex. */
export interface AkRoots {
  /** Azure's: a certificate below one of these can make a paravisor known. */
  readonly azure: ReadonlySet<string>;
  /** Those that the operator adds (`tpm.roots`): trusted for keys, and for nothing that only Azure can say. */
  readonly configured: ReadonlySet<string>;
}

/**
 * Azure Virtual TPM Root Certificate Authority 2023, valid to June 2048. Pinned by key, not carried: the certificate
 * comes with the chain.
 */
export const AZURE_VTPM_ROOT_PINS: ReadonlySet<string> = new Set([
  '5cbc52672ae101263c2976736044a964c1182ce9412c39937183baddcccb8cdf',
]);

/**
 * The trust anchors of AK certificates: SHA-256 of the SubjectPublicKeyInfo of each root, lower-case hex.
 */
export interface AkRoots {
  /** Azure's roots. Only a certificate below one of these can make a paravisor known. */
  readonly azure: ReadonlySet<string>;
  /** Roots that the operator adds (`tpm.roots`). They are trusted for keys, but cannot make a paravisor known. */
  readonly configured: ReadonlySet<string>;
  /**
   * A certificate of a confidential VM below one of Azure's roots makes a paravisor known if it was issued at this
   * time or later. Null: no certificate does. Until the fix of August 2025 (CVE-2025-49707), the administrator of a VM
   * could have Azure certify a key of their choice.
   */
  readonly paravisorsSince: Date | null;
}

/**
 * Azure Virtual TPM Root Certificate Authority 2023, valid to June 2048. Only its key is pinned: the chain in the
 * evidence contains the certificate.
 */
export const AZURE_VTPM_ROOT_PINS: ReadonlySet<string> = new Set([
  '5cbc52672ae101263c2976736044a964c1182ce9412c39937183baddcccb8cdf',
]);

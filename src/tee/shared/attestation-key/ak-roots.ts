/**
 * The roots of AK certificates, and what each is trusted for. Keys are SHA-256 of the SubjectPublicKeyInfo, in
 * lower-case hex.
 */
export interface AkRoots {
  /** Azure's: only a certificate below one of these can make a paravisor known. */
  readonly azure: ReadonlySet<string>;
  /** Roots that the operator adds (`tpm.roots`). They are trusted for keys, but not for statements that only Azure can make. */
  readonly configured: ReadonlySet<string>;
  /**
   * Certificates of confidential VMs below one of Azure's roots make a paravisor known where they were issued at this
   * time or later. Null: none does. Azure certified keys that the owner of a VM had chosen until August 2025
   * (CVE-2025-49707).
   */
  readonly paravisorsSince: Date | null;
}

/**
 * Azure Virtual TPM Root Certificate Authority 2023, valid to June 2048. Pinned by key, not carried: the certificate
 * comes with the chain.
 */
export const AZURE_VTPM_ROOT_PINS: ReadonlySet<string> = new Set([
  '5cbc52672ae101263c2976736044a964c1182ce9412c39937183baddcccb8cdf',
]);

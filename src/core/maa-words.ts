import { meantName } from './names-in-messages.js';

/** Words of `x-ms-attestation-type` about confidential VMs, as Azure Attestation writes them. */
export const MAA_ATTESTATION_TYPES = ['azurevm', 'sevsnpvm', 'tdxvm'] as const;
export type MaaAttestationType = (typeof MAA_ATTESTATION_TYPES)[number];

/** Words of `x-ms-compliance-status` that the service itself writes. */
const COMPLIANCE_STATUSES = ['azure-compliant-cvm', 'azure-compliant-uvm', 'azure-signed-katacc-uvm'];

/**
 * Returns the compliance status that a text has in other letter case; null if there is none. Such a text is never
 * accepted: a careless comparison elsewhere would accept it.
 */
export function misspeltCompliance(text: string): string | null {
  const meant = COMPLIANCE_STATUSES.find((status) => status === text.toLowerCase());
  return meant === undefined || meant === text ? null : meant;
}

/** Returns the known compliance status that is nearest to an unknown text, which may also be an instance's own word. */
export function nearCompliance(text: string): string | null {
  return COMPLIANCE_STATUSES.includes(text) ? null : meantName(text, COMPLIANCE_STATUSES);
}

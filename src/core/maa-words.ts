import { meantName } from './names-in-messages.js';

/** Words of `x-ms-attestation-type` about confidential VMs, as Azure Attestation writes them. */
export const MAA_ATTESTATION_TYPES = ['azurevm', 'sevsnpvm', 'tdxvm'] as const;
export type MaaAttestationType = (typeof MAA_ATTESTATION_TYPES)[number];

/** Words of `x-ms-compliance-status` that the service writes by itself. */
const COMPLIANCE_STATUSES = ['azure-compliant-cvm', 'azure-compliant-uvm', 'azure-signed-katacc-uvm'];

/**
 * The compliance status that is meant where a text has it in other letters; null where it has not. Such a text is never
 * accepted: it would pass where somebody compares with less care.
 */
export function misspeltCompliance(text: string): string | null {
  const meant = COMPLIANCE_STATUSES.find((status) => status === text.toLowerCase());
  return meant === undefined || meant === text ? null : meant;
}

/** The compliance status that is likely meant by a text which is none that is known, and may be one of an instance's own. */
export function nearCompliance(text: string): string | null {
  return COMPLIANCE_STATUSES.includes(text) ? null : meantName(text, COMPLIANCE_STATUSES);
}

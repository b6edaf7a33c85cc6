import type { AzSnpVtpmEvidence, AzTdxVtpmEvidence } from '../../src/core/evidence.js';

/** Evidence of an Azure machine with the paravisor's report whole, as the guest reads it. */
export type Native<E extends AzSnpVtpmEvidence | AzTdxVtpmEvidence> = Omit<E, 'hclReport'> & {
  readonly hclReport: Uint8Array;
};

/** The paravisor's report, whole. */
export function wholeHclReport({ hclReport }: Pick<AzSnpVtpmEvidence, 'hclReport'>): Uint8Array {
  if (hclReport instanceof Uint8Array) return hclReport;
  throw new TypeError('the paravisor’s report was taken apart');
}

import { type Policy, parsePolicy } from './policy-document.js';

/**
 * Its text is what its digest is over, so it changes only together with `version`. The minimums are the first
 * firmware without the flaw in checking microcode signatures (AMD-SB-3019).
 */
const AZURE_CVM_BASELINE = `{ apiVersion: veritee/v1, id: azure-cvm-baseline, version: 2, description: "Genuine Azure confidential VM, not debuggable, fresh, current firmware; for TDX an MRTD of the operator's or a pinned Azure Attestation token makes the paravisor known",
  accepts: [az-snp-vtpm, az-tdx-vtpm], secureBoot: required, require: { tpm: { quotedPcrs: [0, 1, 2, 3, 4, 5, 6, 7] } },
  minimums: { snp: { Milan: { snp: 24, microcode: 219 }, Milan-X: { snp: 24, microcode: 68 }, Genoa: { snp: 23, microcode: 84 }, Genoa-X: { snp: 23, microcode: 79 },
                     Bergamo-Siena: { snp: 23, microcode: 25 }, Turin: { microcode: 71 }, Turin-Dense: { microcode: 71 } },
              tdx: { acceptedStatuses: [UpToDate], earliestTcbDate: "2024-03-13" } } }
`;

const AZURE_MAA_BASELINE = `{ apiVersion: veritee/v1, id: azure-maa-baseline, version: 1, description: "What Azure Attestation calls a compliant confidential VM",
  accepts: [maa-token], minimums: any, routes: { hardware: off, maa: required }, require: { maa: { complianceStatus: [azure-compliant-cvm] } } }
`;

/** The policies that are there without a policy directory. */
export const BUILT_IN_POLICIES: readonly Policy[] = [AZURE_CVM_BASELINE, AZURE_MAA_BASELINE].map((text) =>
  parsePolicy(text),
);

import type { EvidenceType } from '../core/evidence.js';

/** Sentences of docs/what-an-allow-proves.md about what an allow does not prove. A test compares them. */
export const LIMITS: {
  readonly any: readonly string[];
  readonly byType: { readonly [type in EvidenceType]: readonly string[] };
} = {
  any: [
    'Anything about a later time: the guest may change a second after it was measured.',
    'That the sender of the evidence is the machine that generated it, unless a key is bound.',
    'That the software in the guest is good: it has these measurements, no more.',
  ],
  byType: {
    snp: [
      'Anything that is not measured at launch: disks, later software, configuration from the host.',
      'Which cloud or whose server it is: anybody can own one.',
    ],
    tdx: [
      'Anything that is not measured at launch or extended since: disks, later software, configuration from the host.',
      'Which cloud or whose server it is: anybody can own one.',
    ],
    'az-snp-vtpm': [
      "Anything about the guest's operating system through snp.measurement, which measures the paravisor.",
      "Any value of a PCR outside the quote's selection: such a PCR is not a claim.",
    ],
    'az-tdx-vtpm': ["Anything about the guest's operating system through tdx.mrtd, which measures the paravisor."],
    tpm: ['Anything about hardware: the host can read and change the memory of the VM.'],
    'maa-token': ['More than Azure Attestation says, or Intel Trust Authority: nothing was verified but its token.'],
    'ita-token': ['More than Azure Attestation says, or Intel Trust Authority: nothing was verified but its token.'],
  },
};

/** Limits of an allow for a type of evidence; for an unknown type, the limits of every allow. */
export function limitsOf(type: string): readonly string[] {
  return [...LIMITS.any, ...((LIMITS.byType as { readonly [other: string]: readonly string[] })[type] ?? [])];
}

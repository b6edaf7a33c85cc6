/** What an allow does not prove, in short. docs/what-an-allow-proves.md has it in full. */
export const LIMITS: {
  readonly any: readonly string[];
  readonly byType: { readonly [type: string]: readonly string[] };
} = {
  any: [
    'Anything about a later time: the guest may change a second after it was measured.',
    'That whoever sent the evidence is the machine that made it, unless a key is bound.',
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
    'az-snp-vtpm': ['What runs behind the boot loader, as far as no PCR covers it.'],
    'az-tdx-vtpm': ['What runs behind the boot loader, as far as no PCR covers it.'],
    tpm: ['That it is a confidential VM: the host can read and change the memory of the guest.'],
    'maa-token': ['More than Azure Attestation says: nothing was verified but its token.'],
    'ita-token': ['More than Intel Trust Authority says: nothing was verified but its token.'],
  },
};

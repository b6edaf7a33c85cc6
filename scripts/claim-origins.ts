import type { RuleSection } from '../src/policy/cel/claim-types.js';

/** The makers of the claims of a section, for authors of rules. Plain sentences in Markdown. */
export interface ClaimOrigin {
  /** The maker of a claim, unless another one is named. */
  readonly section: string;
  /**
   * Claims that somebody else states, or that say less than their name. Each path stands for all below it; the longest counts.
   */
  readonly apart: readonly Apart[];
}

type Apart = readonly [path: string, who: string];

const BY_GUEST = 'the software in the guest chose it';
const BY_LAUNCHER = 'whoever launched the guest chose it';
const IN_ID_BLOCK = `${BY_LAUNCHER}, in the ID block: pin \`idKeyDigest\`, or require a known paravisor`;
const HOST_DATA = `${BY_LAUNCHER}, and no id key signs it: it counts if what was launched is pinned and compares it`;
const ENFORCED = `${BY_LAUNCHER}, and the hardware enforces it`;

function eventLog(section: 'tdx' | 'tpm', registers: string): readonly Apart[] {
  const covered = `as far as it replays to ${registers} in the quote`;
  const log = `the event log that came with the evidence, ${covered}: digests are covered, and not what the log calls them`;
  return [
    [`${section}.eventLog`, log],
    [`${section}.eventLog.files`, `${log}. In rules it has the digests that the log calls load options, too`],
    [`${section}.eventLog.commandLines`, `${log}. What the log calls a file is not among them: compare \`files\`, too`],
  ];
}

/** Claims about a TEE under the names of tokens, at one of their places. */
function inToken(place: string): readonly Apart[] {
  const snp = (name: string, who: string): Apart => [`${place}["x-ms-sevsnpvm-${name}"]`, who];
  const tdx = (name: string, who: string): Apart => [`${place}.tdx_${name}`, who];
  return [
    ...['guestsvn', 'familyId', 'imageId'].map((name) => snp(name, IN_ID_BLOCK)),
    snp('hostdata', HOST_DATA),
    snp('reportdata', BY_GUEST),
    ...['mrconfigid', 'mrowner', 'mrownerconfig'].map((name) => tdx(name, BY_LAUNCHER)),
    ...['rtmr0', 'rtmr1', 'rtmr2', 'rtmr3'].map((name) => tdx(name, 'firmware and software of the TD extend it')),
    tdx('report_data', BY_GUEST),
  ];
}

/** `attester_*` of Trust Authority, at one of its places. */
function ofAttester(place: string): readonly Apart[] {
  return [
    ...inToken(place).filter(([path]) => path.includes('.tdx_')),
    [`${place}.attester_held_data`, BY_GUEST],
    [`${place}.attester_user_data`, BY_GUEST],
    [`${place}.attester_runtime_data`, `${BY_GUEST}; of a TD of Azure, its paravisor wrote it`],
  ];
}

const OS_OF_CLIENT = ['osbuild', 'osdistro', 'ostype', 'osversion-major', 'osversion-minor'];

/** One for each section: without it the project does not compile. */
export const CLAIM_ORIGINS: { readonly [section in RuleSection]: ClaimOrigin } = {
  evidence: {
    section: 'This service. It is the type that the evidence was sent as, and is verified as.',
    apart: [],
  },
  snp: {
    section:
      'The secure processor of the machine, in a report signed with a key that AMD certifies. It states what was launched and on what hardware, and not who launched it: anyone with such a machine can launch a guest.',
    apart: [
      ['snp.product', 'the certificate of the key that signed the report'],
      [
        'snp.part',
        'the report; a version 2 report does not say it, and this is the first part of the product: an assumption',
      ],
      ['snp.vmpl', `${BY_GUEST}, not below its own level`],
      ['snp.guestSvn', IN_ID_BLOCK],
      ['snp.familyId', IN_ID_BLOCK],
      ['snp.imageId', IN_ID_BLOCK],
      ['snp.hostData', HOST_DATA],
      ['snp.policy', ENFORCED],
      ['snp.idKeyDigest', 'the report: the key that signed the ID block, or all zero where none did'],
      ['snp.authorKeyDigest', 'the report; it counts only if `authorKeyEnabled` is true'],
      ['snp.reportData', BY_GUEST],
      [
        'snp.chipId',
        'the report; under a VLEK it can be all zero (masked), and a rule on zeros allows every masked machine',
      ],
      ['snp.cspId', 'the certificate of the VLEK'],
    ],
  },
  tdx: {
    section:
      'The TDX module of the machine, in a quote signed with a key that Intel certifies. It states what was launched and on what hardware, and not who launched it.',
    apart: [
      ['tdx.mrConfigId', BY_LAUNCHER],
      ['tdx.mrOwner', BY_LAUNCHER],
      ['tdx.mrOwnerConfig', BY_LAUNCHER],
      ['tdx.rtmr', 'firmware and software of the TD extend it'],
      ['tdx.tdAttributes', ENFORCED],
      ['tdx.xfam', ENFORCED],
      ['tdx.reportData', BY_GUEST],
      ...['ppid', 'fmspc', 'pceId'].map((name): Apart => [`tdx.${name}`, "Intel's certificate of the platform"]),
      ['tdx.tcb', "Intel's collateral, which this service compares with the quote"],
      ...eventLog('tdx', 'RTMRs'),
    ],
  },
  hcl: {
    section:
      "Azure's paravisor, in runtime claims whose digest is in the hardware report, if `hcl.paravisor.known` is true. If it is false, whoever launched the guest wrote them.",
    apart: [
      ['hcl.reportType', 'this service, by the hardware report behind the runtime claims'],
      ['hcl.paravisor', 'this service, and by what it knows the paravisor'],
      ['hcl.userData', 'the software in the VM wrote it'],
      ['hcl.vmConfiguration', 'the paravisor, as the host configured it'],
    ],
  },
  tpm: {
    section:
      "The vTPM, in a quote signed with its attestation key. Of Azure's confidential VMs the paravisor vouches for that key, of `tpm` evidence the AK certificate alone: then no hardware report stands behind it.",
    apart: [
      ['tpm.pcrs', 'the vTPM; firmware and software of the VM extend it'],
      ['tpm.pcrs.sha256["16"]', 'the software in the VM: it can reset it'],
      ['tpm.pcrs.sha256["23"]', 'the software in the VM: it can reset it'],
      ...eventLog('tpm', 'PCRs'),
    ],
  },
  maa: {
    section:
      'An instance of Azure Attestation, in a token that it signs. Whoever owns the instance writes its policy, and a policy can issue any claim under any name: rely on `maa.issuer` together with `maa.policyHash`, or on the shared providers.',
    apart: [
      [
        'maa.claims.nonce',
        'whoever requested the token: it is an echo of the request, and old evidence can be sent with any nonce',
      ],
      ['maa.claims["x-ms-runtime"]', `${BY_GUEST}: Azure Attestation takes any JSON there`],
      ...OS_OF_CLIENT.map(
        (name): Apart => [`maa.claims["x-ms-azurevm-${name}"]`, 'the client in the guest: nothing measures it'],
      ),
      ['maa.claims["x-ms-isolation-tee"]["x-ms-runtime"]', 'the paravisor, if the compliance status beside it says so'],
      ['maa.claims["x-ms-isolation-tee"]["x-ms-runtime"]["user-data"]', 'the software in the VM wrote it'],
      ...inToken('maa.claims'),
      ...inToken('maa.claims["x-ms-isolation-tee"]'),
    ],
  },
  ita: {
    section:
      'Intel Trust Authority, in a token that it signs, whatever its policies say: `require.ita.policyIds` names those that count.',
    apart: [
      ['ita.claims.policy_defined_claims', 'whoever wrote the policy at Trust Authority: require its id'],
      ...ofAttester('ita.claims'),
      ...ofAttester('ita.claims.tdx'),
    ],
  },
};

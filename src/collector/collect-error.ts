/** A remedy for the operator of the guest, by error code. Codes are part of the contract: scripts read them. */
export const COLLECT_REMEDIES = {
  no_tpm: 'Run this inside the VM, as root, and create the VM with a vTPM; in a container, pass /dev/tpmrm0 into it.',
  tools_missing: 'Install tpm2-tools 5.0 or later, and have its programs on the PATH of this user.',
  permission: 'Run the command as root, or as a user who may open the TPM device and the files named.',
  nv_absent:
    'Read the index with tpm2_nvreadpublic: Azure creates it, so the VM was not created with it or the TPM was cleared.',
  nv_unusable:
    'Remove the index with tpm2_nvundefine -C o 0x01400002 if nothing of yours uses it, and run the command again.',
  ak_absent:
    'Restart the VM, because Azure creates the attestation key at boot; a TPM that was cleared has lost it until then.',
  not_confidential: 'Create the VM as a confidential VM, or with Trusted Launch for evidence of its vTPM alone.',
  metadata_unreachable:
    'Let this user connect to 169.254.169.254 on port 80 without a proxy, and run the command again.',
  metadata_answer: 'Run the command again, and report the answer to Azure if the fault stays.',
  locked: 'Wait until the other collector has ended, or remove the lock file if no collector is running.',
  quote_unstable:
    'Run the command again once the guest has stopped extending PCRs, or leave those PCRs out with --pcrs.',
  report_malformed:
    'Look at the structure with veritee inspect, and report it: the TPM does not hold what Azure writes.',
  report_stale: 'Stop other software that writes NV index 0x01400002 or reads the report, and run the command again.',
  tool_failed: 'Run the command that is named by hand, and solve what it reports.',
  tsm_failed: 'Load the guest driver of the TEE (sev-guest or tdx-guest), mount configfs, and run the command as root.',
  nonce_length: 'Choose a shorter nonce, or bind a key with --bind, which makes the value 40 bytes long.',
  key_file:
    'Name a private key in PEM or JWK that only its owner may read (chmod 600), or a file that does not exist yet.',
  ak_chain: 'Name a PEM file with the issuers of the AK certificate, the issuer of the leaf first and the root last.',
  output_file: 'Name a file in a folder that this user may write to.',
  evidence_files:
    'Put the files of one piece of evidence into the folder; veritee help request lists the files and their usual names.',
} as const;

export type CollectCode = keyof typeof COLLECT_REMEDIES;

/** Evidence cannot be collected. The message is in lower case, without period. */
export class CollectError extends Error {
  override readonly name = 'CollectError';
  readonly code: CollectCode;

  constructor(code: CollectCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
  }

  /** One sentence with the remedy. */
  get remedy(): string {
    return COLLECT_REMEDIES[this.code];
  }
}

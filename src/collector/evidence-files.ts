import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileProblem, folderProblem } from '../model/file-problem.js';
import { CollectError } from './collect-error.js';
import { readBoundedFile, UnfitFileError } from './files.js';

/** A raw file of evidence. */
interface EvidenceFile {
  readonly name: string;
  readonly maximumBytes: number;
  /** For people. */
  readonly what: string;
}

const KIB = 1024;

/** Every file that a folder of evidence may have. */
export const EVIDENCE_FILES = {
  report: { name: 'report.bin', maximumBytes: 4 * KIB, what: 'SNP attestation report' },
  hcl: { name: 'hcl.bin', maximumBytes: 16 * KIB, what: 'HCL report (NV index 0x01400001)' },
  quoteMessage: { name: 'quote.msg', maximumBytes: 4 * KIB, what: 'TPM quote (tpm2_quote -m)' },
  quoteSignature: { name: 'quote.sig', maximumBytes: 4 * KIB, what: 'its signature (tpm2_quote -s, plain or tss)' },
  pcrs: {
    name: 'pcrs.bin',
    maximumBytes: 4 * KIB,
    what: 'its PCR values (tpm2_quote -o, either format), or PCRs 0 to 23 of 32 bytes each',
  },
  eventLog: { name: 'eventlog.bin', maximumBytes: KIB * KIB, what: 'event log of the firmware' },
  systemLog: { name: 'cel.json', maximumBytes: KIB * KIB, what: 'CEL of the system, which follows it' },
  akCertificate: { name: 'ak.der', maximumBytes: 16 * KIB, what: 'AK certificate (NV index 0x01C101D0)' },
  akChain: { name: 'ak-chain.pem', maximumBytes: 32 * KIB, what: 'its issuers, root last' },
  tdQuote: { name: 'td-quote.bin', maximumBytes: 32 * KIB, what: 'TD quote' },
  tdQuoteAnswer: {
    name: 'td-quote.json',
    maximumBytes: 64 * KIB,
    what: 'or the answer of the metadata service that has it',
  },
  vek: { name: 'vcek.der', maximumBytes: 32 * KIB, what: 'VCEK or VLEK, DER or PEM' },
  chain: { name: 'chain.pem', maximumBytes: 32 * KIB, what: 'its issuers, ARK last' },
  certification: {
    name: 'thim.json',
    maximumBytes: 64 * KIB,
    what: 'or the answer of the metadata service that has both',
  },
  certificateTable: { name: 'certs.bin', maximumBytes: 64 * KIB, what: 'certificate table of an extended report' },
  collateral: { name: 'collateral.json', maximumBytes: 512 * KIB, what: 'TDX collateral' },
  ccel: { name: 'ccel.bin', maximumBytes: KIB * KIB, what: 'log area of the CCEL' },
  runtimeData: { name: 'runtime-data.json', maximumBytes: 64 * KIB, what: 'data whose hash is the report data' },
} as const satisfies { readonly [name: string]: EvidenceFile };

export type EvidenceFileKey = keyof typeof EVIDENCE_FILES;

/** Contents by kind of file. */
export type EvidenceContents = ReadonlyMap<EvidenceFileKey, Uint8Array>;

export interface EvidenceFolder {
  readonly contents: EvidenceContents;
  /** Names that are none of evidence. */
  readonly others: readonly string[];
}

/**
 * Reads the files of a folder that have names of evidence.
 * @throws {CollectError} `evidence_files` for one that is no regular file, is too large or cannot be read
 */
export async function readEvidenceFolder(folder: string): Promise<EvidenceFolder> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new CollectError('evidence_files', `${folder}: ${folderProblem(cause)}`, { cause });
  });
  const kinds = Object.entries(EVIDENCE_FILES) as readonly (readonly [EvidenceFileKey, EvidenceFile])[];
  const found = kinds.filter(([, { name }]) => names.includes(name));
  const contents = new Map<EvidenceFileKey, Uint8Array>();
  for (const [key, file] of found) contents.set(key, await readFileOf(folder, file));
  const known: ReadonlySet<string> = new Set(kinds.map(([, { name }]) => name));
  return { contents, others: names.filter((name) => !known.has(name)).toSorted() };
}

async function readFileOf(folder: string, { name, maximumBytes }: EvidenceFile): Promise<Uint8Array> {
  try {
    const bytes = await readBoundedFile(join(folder, name), maximumBytes);
    if (bytes.byteLength === 0) throw new UnfitFileError('is empty');
    return bytes;
  } catch (error) {
    if (!(error instanceof UnfitFileError) && !hasSyscall(error)) throw error;
    const why = error instanceof UnfitFileError ? error.message : fileProblem(error);
    throw new CollectError('evidence_files', `${name}: ${why}`, { cause: error });
  }
}

function hasSyscall(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}

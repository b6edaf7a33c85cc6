import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileProblem, folderProblem } from '../core/file-problem.js';
import { quotedName } from '../core/names-in-messages.js';
import { CollectError } from './collect-error.js';
import { readRegularFile, UnfitFileError } from './files.js';

/** A raw file of evidence. */
interface EvidenceFile {
  readonly name: string;
  readonly maximumBytes: number;
  /** Description for messages. */
  readonly what: string;
}

const KIB = 1024;

/** Every file of an evidence folder. */
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
  crl: { name: 'amd.crl', maximumBytes: 64 * KIB, what: "AMD's CRL, DER" },
  certificateTable: { name: 'certs.bin', maximumBytes: 64 * KIB, what: 'certificate table of an extended report' },
  collateral: { name: 'collateral.json', maximumBytes: 512 * KIB, what: 'TDX collateral' },
  ccel: { name: 'ccel.bin', maximumBytes: KIB * KIB, what: 'log area of the CCEL' },
  runtimeData: { name: 'runtime-data.json', maximumBytes: 64 * KIB, what: 'data whose hash is the report data' },
} as const satisfies { readonly [name: string]: EvidenceFile };

export type EvidenceFileKey = keyof typeof EVIDENCE_FILES;

/** A raw file that the user named, or in a folder that the user named. */
export interface RawFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Contents by kind of file. */
export type EvidenceContents = ReadonlyMap<EvidenceFileKey, Uint8Array>;

/** Largest file with a name outside `EVIDENCE_FILES`. Of evidence, only collateral and logs come near this size. */
const ANY_FILE_BYTES = KIB * KIB;
/** Most entries of a folder: one with more was probably named by mistake. */
const MOST_FILES = 64;

/**
 * Reads the files of a folder.
 * @returns the files, and a message about each file with another name that cannot be read
 * @throws {CollectError} `evidence_files` if the folder cannot be read or has more than 64 entries, or if a file with a name
 *   of evidence is no regular file, is too large, is empty or cannot be read
 */
export async function readEvidenceFolder(
  folder: string,
): Promise<{ readonly files: readonly RawFile[]; readonly notes: readonly string[] }> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new CollectError('evidence_files', `${folder}: ${folderProblem(cause)}`, { cause });
  });
  if (names.length > MOST_FILES) {
    throw new CollectError('evidence_files', `${folder}: has ${names.length} entries, expected at most ${MOST_FILES}`);
  }
  const files: RawFile[] = [];
  const notes: string[] = [];
  for (const name of names.toSorted()) {
    const key = keyOfName(name);
    const read = await readFileOf(folder, name, key === null ? ANY_FILE_BYTES : EVIDENCE_FILES[key].maximumBytes);
    if (read instanceof Uint8Array) files.push({ name, bytes: read });
    else if (key === null) notes.push(`${quotedName(name)} is left out: it ${read.why}`);
    else throw new CollectError('evidence_files', `${name}: ${read.why}`, { cause: read.cause });
  }
  return { files, notes };
}

/** The kind of file that has this name in a folder of evidence; null if none has. */
export function keyOfName(name: string): EvidenceFileKey | null {
  const found = (Object.keys(EVIDENCE_FILES) as EvidenceFileKey[]).find((key) => EVIDENCE_FILES[key].name === name);
  return found ?? null;
}

async function readFileOf(
  folder: string,
  name: string,
  maximumBytes: number,
): Promise<Uint8Array | { readonly why: string; readonly cause: unknown }> {
  try {
    const bytes = await readRegularFile(join(folder, name), maximumBytes);
    if (bytes.byteLength === 0) throw new UnfitFileError('is empty');
    return bytes;
  } catch (error) {
    if (!(error instanceof UnfitFileError) && !hasSyscall(error)) throw error;
    return { why: error instanceof UnfitFileError ? error.message : fileProblem(error), cause: error };
  }
}

function hasSyscall(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}

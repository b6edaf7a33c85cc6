import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hex } from '../core/bytes.js';
import { FormatError } from '../core/errors.js';
import { fileProblem, isSystemError } from '../core/file-problem.js';
import { type PcrValues, readPcrValues } from '../tee/tpm/format/pcr-values.js';
import { parseTpmsQuote } from '../tee/tpm/format/tpms-attest.js';
import { CollectError } from './collect-error.js';
import { readRegularFile, UnfitFileError } from './files.js';
import { isDigestOf } from './pcr-values.js';
import type { RunTool } from './tool-run.js';

/** Objects of the vTPM of an Azure VM (openvmm, vm/devices/tpm). */
export const AZURE_TPM = {
  /** NV index from which the guest reads the paravisor's report. */
  hclReport: 0x01400001,
  /** NV index that the guest creates. The paravisor copies its 64 bytes into the next report. */
  userData: 0x01400002,
  /** NV index of the AK certificate, DER followed by zeros. */
  akCertificate: 0x01c101d0,
  /** Persistent handle of the attestation key. */
  ak: 0x81000003,
} as const;

export const USER_DATA_LENGTH = 64;

/** The public data of an NV index. */
export interface NvIndex {
  readonly size: number;
  /** Whether it was ever written: before that, reading it is an error. */
  readonly written: boolean;
}

export interface CollectedQuote {
  readonly message: Uint8Array;
  /** TPMT_SIGNATURE. */
  readonly signature: Uint8Array;
  readonly pcrs: PcrValues;
}

/** Larger than any TPMS_ATTEST, TPMT_SIGNATURE or 24 PCRs. */
const QUOTE_FILE_BYTES = 4096;

/** Most attempts for a quote without an extension of a PCR between the quote and the read. */
const QUOTE_ATTEMPTS = 5;

/** The TPM of the guest, used with tpm2-tools. */
export class GuestTpm {
  readonly #run: RunTool;
  readonly #folder: string;

  /** @param folder a private folder of this process, for files of the tools */
  constructor(run: RunTool, folder: string) {
    this.#run = run;
    this.#folder = folder;
  }

  /** The defined NV indices. */
  async indices(): Promise<ReadonlyMap<number, NvIndex>> {
    return parseNvPublic(await this.#ask('tpm2_nvreadpublic', []));
  }

  async hasAttestationKey(): Promise<boolean> {
    const handles = await this.#ask('tpm2_getcap', ['handles-persistent']);
    return handles.split('\n').some((line) => Number(line.replace(/^- /, '')) === AZURE_TPM.ak);
  }

  async read(index: number): Promise<Uint8Array> {
    return (await this.#succeed('tpm2_nvread', ['-C', 'o', handle(index)])).stdout;
  }

  async write(index: number, bytes: Uint8Array): Promise<void> {
    await writeFile(join(this.#folder, 'nv.bin'), bytes, { mode: 0o600 });
    await this.#succeed('tpm2_nvwrite', ['-C', 'o', '-i', 'nv.bin', handle(index)]);
  }

  async define(index: number, size: number): Promise<void> {
    const attributes = 'ownerread|ownerwrite';
    await this.#succeed('tpm2_nvdefine', ['-C', 'o', '-s', String(size), '-a', attributes, handle(index)]);
  }

  async undefine(index: number): Promise<void> {
    await this.#succeed('tpm2_nvundefine', ['-C', 'o', handle(index)]);
  }

  /**
   * Makes a quote of the AK over PCRs of the SHA-256 bank, and reads their values. TPM2_Quote only signs a digest, so the
   * values are read separately, and again if a PCR was extended between.
   *
   * @throws {CollectError} `quote_unstable` if that happens every time
   */
  async quote(pcrs: readonly number[], qualifyingData: Uint8Array): Promise<CollectedQuote> {
    for (let attempt = 0; attempt < QUOTE_ATTEMPTS; attempt++) {
      const quote = await this.#quoteOnce(pcrs, qualifyingData);
      if (quote !== null) return quote;
    }
    throw new CollectError('quote_unstable', `a PCR was extended during each of ${QUOTE_ATTEMPTS} quotes`);
  }

  /** Returns null if the read values differ from the quoted ones. */
  async #quoteOnce(pcrs: readonly number[], qualifyingData: Uint8Array): Promise<CollectedQuote | null> {
    const { exitCode, stderr } = await this.#run('tpm2_quote', quoteArguments(pcrs, hex(qualifyingData)), this.#folder);
    if (exitCode !== 0) {
      // The tool compares the digests too, and writes nothing if they differ.
      if (/PCR composite/i.test(stderr)) return null;
      throw toolFailed('tpm2_quote', exitCode, stderr);
    }
    try {
      return await this.#readQuote();
    } catch (error) {
      const isUnfit = error instanceof UnfitFileError || error instanceof FormatError;
      if (!isUnfit && !isSystemError(error)) throw error;
      const why = isUnfit ? error.message : fileProblem(error);
      throw new CollectError('tool_failed', `tpm2_quote wrote what is no quote: ${why}`, { cause: error });
    }
  }

  async #readQuote(): Promise<CollectedQuote | null> {
    const file = (name: string) => readRegularFile(join(this.#folder, name), QUOTE_FILE_BYTES);
    const { message: messageFile, signature: signatureFile, pcrs: valuesFile } = QUOTE_FILES;
    const [message, signature] = [await file(messageFile), await file(signatureFile)];
    const quote = parseTpmsQuote(message);
    const pcrs = readPcrValues(await file(valuesFile), quote);
    return isDigestOf(pcrs, quote) ? { message, signature, pcrs } : null;
  }

  async #ask(program: string, args: readonly string[]): Promise<string> {
    return Buffer.from((await this.#succeed(program, args)).stdout).toString('utf8');
  }

  async #succeed(program: string, args: readonly string[]): Promise<{ readonly stdout: Uint8Array }> {
    const { exitCode, stdout, stderr } = await this.#run(program, args, this.#folder);
    if (exitCode !== 0) throw toolFailed(program, exitCode, stderr);
    return { stdout };
  }
}

/** A TPM2B_DATA holds a hash and its algorithm; the 50 bytes are those of a TPM with SHA-384. */
const QUALIFYING_DATA_MAXIMUM = 50;

/** @throws {CollectError} `nonce_length` if a quote cannot contain a value of this length */
export function requireFits({ byteLength }: Uint8Array): void {
  if (byteLength <= QUALIFYING_DATA_MAXIMUM) return;
  const lengths = `the nonce is ${byteLength} bytes, a TPM quote holds ${QUALIFYING_DATA_MAXIMUM}`;
  throw new CollectError('nonce_length', lengths);
}

const QUOTE_FILES = { message: 'quote.msg', signature: 'quote.sig', pcrs: 'pcrs.bin' } as const;

/** @param qualifyingData in hex */
function quoteArguments(pcrs: readonly number[], qualifyingData: string): readonly string[] {
  const { message, signature, pcrs: values } = QUOTE_FILES;
  const files = ['-m', message, '-s', signature, '-f', 'tss', '-o', values, '-F', 'values'];
  return ['-c', handle(AZURE_TPM.ak), '-l', `sha256:${pcrs.join(',')}`, '-q', qualifyingData, '-g', 'sha256', ...files];
}

/** Formats a handle for tpm2-tools. */
export function handle(number: number): string {
  return `0x${number.toString(16).padStart(8, '0')}`;
}

export const NOTHING_OF_AZURE = `the TPM has neither an HCL report (${handle(AZURE_TPM.hclReport)}) nor an AK certificate`;

/** Parses the needed lines of the YAML of tpm2_nvreadpublic. Skips other lines. */
function parseNvPublic(text: string): ReadonlyMap<number, NvIndex> {
  const sections = text.split(/^(?=0x[0-9a-f]+:$)/im);
  return new Map(
    sections.flatMap((section) => {
      const [, index] = /^(0x[0-9a-f]{1,8}):$/im.exec(section) ?? [];
      const [, size] = /^ {2}size: (\d{1,5})$/m.exec(section) ?? [];
      const [, attributes = ''] = /^ {2}attributes:\s+friendly: (.*)$/m.exec(section) ?? [];
      if (index === undefined || size === undefined) return [];
      return [[Number(index), { size: Number(size), written: attributes.split('|').includes('written') }] as const];
    }),
  );
}

/** The last error is that of the tool itself; earlier ones come from its libraries. */
function toolFailed(program: string, exitCode: number | null, stderr: string): CollectError {
  const errors = stderr.split('\n').filter((line) => line.startsWith('ERROR'));
  const said = errors.find((line) => /^ERROR: Esys_|0x[0-9a-f]{2,8}/i.test(line)) ?? errors.at(-1) ?? '';
  const code = /permission denied/i.test(stderr) ? 'permission' : 'tool_failed';
  const why = said === '' ? '' : `: ${said.replace(/^ERROR:\s*/, '').slice(0, 200)}`;
  return new CollectError(code, `${program} ended with ${exitCode ?? 'a signal'}${why}`);
}

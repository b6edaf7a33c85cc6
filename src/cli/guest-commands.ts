import { type CollectRequest, collect, type GuestMachine } from '../collector/collect.js';
import { CollectError } from '../collector/collect-error.js';
import { requestBody } from '../collector/evidence-body.js';
import { UnfitFileError, writePrivateFile } from '../collector/files.js';
import { ALL_PCRS, parsePcrList } from '../collector/pcr-values.js';
import type { Recogniser } from '../collector/recognise-files.js';
import { evidenceOf, FILE_EVIDENCE_TYPES, type FileEvidenceType } from '../collector/request-files.js';
import { FormatError } from '../core/errors.js';
import { isSystemError, outputProblem } from '../core/file-problem.js';
import { listedNames, quotedName } from '../core/names-in-messages.js';
import { readNonce } from '../wire/read-requests.js';
import { UsageError } from './input.js';
import { EXIT_CODE } from './output.js';
import type { CollectOptions, RequestOptions } from './program.js';
import { recogniseFolder, sayingRemedies } from './raw-evidence.js';

/** The outputs for the body and for notes. */
export interface GuestOutput {
  readonly write: (text: string) => void;
  readonly warn: (message: string) => void;
}

/**
 * Collects the evidence of this machine.
 * @returns the exit code
 * @throws {UsageError} with code, place and remedy if it cannot be collected
 */
export async function collectCommand(
  options: CollectOptions,
  machine: Omit<GuestMachine, 'warn'>,
  output: GuestOutput,
): Promise<number> {
  const request = collectRequest(options);
  return sayingRemedies(async () => {
    const text = await collect(request, { ...machine, warn: output.warn });
    machine.signal.throwIfAborted();
    await deliver(text, options.output, output);
    return EXIT_CODE.allow;
  });
}

/**
 * Builds a /verify body from raw files.
 * @returns the exit code
 * @throws {UsageError} with the wrong file, and the remedy
 */
export async function requestCommand(
  folder: string,
  options: RequestOptions,
  recogniser: Recogniser,
  output: GuestOutput,
): Promise<number> {
  const nonce = options.nonce === undefined ? null : readOption('--nonce', () => readNonce(options.nonce ?? ''));
  const type = options.type === undefined ? null : evidenceType(options.type);
  return sayingRemedies(async () => {
    const evidence = evidenceOf(await recogniseFolder(folder, { ...recogniser, warn: output.warn }), type);
    await deliver(requestBody(evidence, nonce, null), options.output, output);
    return EXIT_CODE.allow;
  });
}

/** @throws {UsageError} if an option is malformed */
function collectRequest({ nonce, pcrs, bind, akCertificate, akChain, eventLog }: CollectOptions): CollectRequest {
  return {
    nonce: readOption('--nonce', () => readNonce(nonce)),
    keyFile: bind ?? null,
    pcrs: pcrs === undefined ? ALL_PCRS : readOption('--pcrs', () => parsePcrList(pcrs)),
    akCertificate: akCertificate === true || akChain !== undefined,
    akChainFile: akChain ?? null,
    eventLog: eventLog !== false,
  };
}

function evidenceType(text: string): FileEvidenceType {
  const type = FILE_EVIDENCE_TYPES.find((known) => known === text);
  if (type !== undefined) return type;
  throw new UsageError([`--type: ${quotedName(text)} is no type; there are ${listedNames(FILE_EVIDENCE_TYPES)}`]);
}

function readOption<T>(option: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new UsageError([`${option}: ${error.code}: ${error.message}`], { cause: error });
  }
}

async function deliver(text: string, file: string, output: GuestOutput): Promise<void> {
  if (file === '-') return output.write(text);
  try {
    await writePrivateFile(file, text);
  } catch (error) {
    if (!(error instanceof UnfitFileError) && !isSystemError(error)) throw error;
    const why = error instanceof UnfitFileError ? error.message : outputProblem(error);
    throw new CollectError('output_file', `${file}: ${why}`, { cause: error });
  }
}

import { stat } from 'node:fs/promises';
import { compareCommand } from '../../cli/compare-command.js';
import { type NamedInput, UsageError } from '../../cli/input.js';
import { inspectCommand } from '../../cli/inspect-command.js';
import { Notes, warnOnStderr } from '../../cli/output.js';
import type { EvidenceActions, InspectOptions, VerifyOptions } from '../../cli/program.js';
import { bodyOfFile, bodyOfFolder } from '../../cli/raw-evidence.js';
import { type VerifyDetail, verifyCommand } from '../../cli/verify-command.js';
import { RAW_RECOGNISER } from '../../inspect/raw-structures.js';
import { requestLimits } from '../../wire/read-body.js';
import { bootComparisons, InspectEvidence, rawInspections } from '../../workbench/inspections.js';
import { commandLineLog, configurationOf, outputOf, readInput } from './command-line-io.js';

/** Actions of `veritee verify` and `veritee inspect`. They need no server. */
export const evidenceCommands: EvidenceActions = {
  verify: async (file, options) => {
    const configuration = await configurationOf(options);
    const { commandLineVerification } = await import('./command-line-verification.js');
    const input = await verifyInput(file, options.vek);
    const output = outputOf(options);
    const notes = new Notes();
    const log = output.asTable ? notes : commandLineLog();
    const verification = await commandLineVerification(configuration, options.policy ?? null, log);
    try {
      const overrides = { policies: verification.policies, nonce: options.nonce ?? null, at: options.at ?? null };
      const { eventLogBytes } = configuration.limits;
      const parts = {
        verifyEvidence: verification.verifyEvidence,
        raw: rawInspections(eventLogBytes),
        limits: requestLimits(eventLogBytes),
      };
      return await verifyCommand(input, overrides, parts, output, detailOf(options));
    } finally {
      await verification.close();
      notes.release((text) => process.stderr.write(text));
    }
  },
  inspect: async (file, options) => {
    const { eventLogBytes } = (await configurationOf(options)).limits;
    if (options.compare !== undefined) return compare(options.compare, file, options, eventLogBytes);
    refuseTwice('--pcrs', file, options.pcrs);
    const input = await readInput(file, INSPECTED_FILE);
    const inspections = {
      evidence: new InspectEvidence(eventLogBytes),
      raw: rawInspections(eventLogBytes),
      limits: requestLimits(eventLogBytes),
    };
    const pcrs = options.pcrs === undefined ? null : await readInput(options.pcrs, PCRS_FILE);
    return inspectCommand(input, pcrs, inspections, outputOf(options));
  },
};

/** Reads a body or raw files of a guest. Their content distinguishes them. */
async function verifyInput(path: string, vek: string | undefined): Promise<NamedInput> {
  const recognition = { ...RAW_RECOGNISER, warn: warnOnStderr };
  const status = path === '-' ? null : await stat(path).catch(() => null);
  if (status?.isDirectory() !== true) {
    refuseTwice('--vek', path, vek);
    const certificate = vek === undefined ? null : await readInput(vek, 'a VCEK or VLEK, DER or PEM');
    return bodyOfFile(await readInput(path, VERIFIED_FILE), certificate, recognition);
  }
  if (vek !== undefined) throw new UsageError(['--vek: goes with a report; put the file into the folder instead']);
  return bodyOfFolder(path, recognition);
}

function detailOf({ explain = false, explainAll = false }: VerifyOptions): VerifyDetail {
  if (explainAll) return 'everything';
  return explain ? 'explanation' : 'checks';
}

async function compare(before: string, after: string, options: InspectOptions, eventLogBytes: number): Promise<number> {
  if (options.pcrs !== undefined) throw new UsageError(['--pcrs and --compare do not go together: leave one out']);
  refuseTwice('--compare', before, after);
  const [old, young] = [await readInput(before, INSPECTED_FILE), await readInput(after, INSPECTED_FILE)];
  const comparisons = {
    boots: bootComparisons(eventLogBytes),
    raw: rawInspections(eventLogBytes),
    limits: requestLimits(eventLogBytes),
  };
  return compareCommand(old, young, comparisons, outputOf(options));
}

/** @throws {UsageError} if both files are standard input, which can be read once */
function refuseTwice(option: string, file: string, other: string | undefined): void {
  if (file !== '-' || other !== '-') return;
  throw new UsageError([`${option}: standard input is one file, and two are due`]);
}

const VERIFIED_FILE = 'a file with a /verify body or raw evidence, a folder of raw files, or - for standard input';
const INSPECTED_FILE = 'a file with evidence, a /verify body or a single structure, or - for standard input';
const PCRS_FILE = 'the SHA-256 values of PCR 0 to 23 as 768 bytes, or values of registers in JSON';

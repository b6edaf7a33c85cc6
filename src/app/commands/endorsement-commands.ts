import { isMeantAsJson, type NamedInput, readingInput, UsageError } from '../../cli/input.js';
import { Notes, printable } from '../../cli/output.js';
import type { EndorsementActions } from '../../cli/program.js';
import type { Evidence, StructureKind } from '../../core/evidence.js';
import { traitsOf } from '../../core/evidence-traits.js';
import { kindOfStructure, nameOfKind, recogniseRaw } from '../../inspect/raw-structures.js';
import { parseHclReport } from '../../tee/azure/format/hcl-report.js';
import { SNP_REPORT_LENGTH } from '../../tee/snp/format/snp-report.js';
import { readInspectRequest } from '../../wire/read-requests.js';
import { SYSTEM_CLOCK } from '../system.js';
import { configurationOf, readInput, write } from './command-line-io.js';
import { type BundleOptions, exportEndorsements, importEndorsements, type NamedReport } from './endorsement-bundles.js';

/** Actions of `veritee endorsements`. */
export const endorsementCommands: EndorsementActions = {
  exportEndorsements: async (folder, options) => {
    const reports = await Promise.all(
      options.report.map(async (file) => reportOf(await readInput(file, REPORT_FILES))),
    );
    return withNotes(async (given) => exportEndorsements(folder, reports, await configurationOf(options), given));
  },
  importEndorsements: (folder, options) =>
    withNotes(async (given) => importEndorsements(folder, await configurationOf(options), given)),
};

/** Writes a line for people. Names of files come from the author of the folder, so control characters are escaped. */
function writeLine(line: string): void {
  write(`${printable(line)}\n`);
}

/** Runs a command that answers with lines for people. Log messages of its parts follow the answer. */
async function withNotes(run: (given: BundleOptions) => Promise<number>): Promise<number> {
  const notes = new Notes();
  try {
    return await run({ clock: SYSTEM_CLOCK, log: notes, inBackground: false, writeLine });
  } finally {
    notes.release((text) => process.stderr.write(text));
  }
}

/** The accepted values of `--report`, for the message about others. */
const REPORT_FILES = 'an SNP report, a TD quote or an HCL report as it is, or evidence or a /verify body in JSON';

/**
 * The SNP report or TD quote in a file, recognised by its content.
 * @throws {UsageError} if there is none, or the file is malformed
 */
export function reportOf(input: NamedInput): NamedReport {
  const { name, bytes } = input;
  const [kind = null, ...others] = recogniseRaw(bytes);
  if (kind === null && isMeantAsJson(bytes)) return reportOfBody(input);
  if (kind === null) return refuse(name, 'nothing that is recognised');
  if (others.length > 0) return refuse(name, [kind, ...others].map(nameOfKind).join(' as well as '));
  return reportOfStructure(input, kind);
}

function reportOfBody(input: NamedInput): NamedReport {
  const { name } = input;
  const read = readingInput(input, () => readInspectRequest(input.bytes));
  if (read.type === 'bytes') {
    const kind = readingInput(input, () => kindOfStructure(read));
    return reportOfStructure({ name, bytes: read.value }, kind);
  }
  const bytes = readingInput(input, () => (read.type === 'event-log' ? null : reportIn(read)));
  return { name, bytes: bytes ?? refuse(name, `evidence of type ${read.type}`) };
}

function reportOfStructure(input: NamedInput, kind: StructureKind): NamedReport {
  const { name, bytes } = input;
  switch (kind) {
    case 'snp-report':
    case 'td-quote':
      return input;
    case 'snp-extended-report':
      return { name, bytes: bytes.subarray(0, SNP_REPORT_LENGTH) };
    case 'hcl-report':
      return {
        name,
        bytes: readingInput(input, () => snpReportIn(bytes)) ?? refuse(name, 'an HCL report without an SNP report'),
      };
    default:
      return refuse(name, nameOfKind(kind));
  }
}

/** The report of the TEE, from its own member or from the paravisor's report. */
function reportIn(evidence: Evidence): Uint8Array | null {
  const { tee, places } = traitsOf(evidence.type);
  const place = tee === null ? undefined : places[tee];
  const bytes = Object.entries(evidence).find(([member]) => member === place)?.[1];
  if (!(bytes instanceof Uint8Array)) return null;
  return place === places.hcl ? snpReportIn(bytes) : bytes;
}

/** The HCL report of a TD holds only a TDREPORT, which names no endorsement to request. */
function snpReportIn(hclReport: Uint8Array): Uint8Array | null {
  const { reportType, hardwareReport } = parseHclReport(hclReport);
  return reportType === 'snp' ? hardwareReport : null;
}

function refuse(name: string, what: string): never {
  throw new UsageError([`${name}: is ${what}`, `--report takes ${REPORT_FILES}`]);
}

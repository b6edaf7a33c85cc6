import { isMeantAsJson, type NamedInput, readingInput, UsageError } from '../cli/input.js';
import { parseHclReport } from '../formats/hcl-report.js';
import { SNP_REPORT_LENGTH } from '../formats/snp-report.js';
import { recogniseRaw } from '../inspect/raw-structures.js';
import type { Evidence } from '../model/evidence.js';
import { traitsOf } from '../model/evidence-traits.js';
import { readInspectRequest } from '../wire/read-requests.js';
import type { NamedReport } from './endorsement-bundles.js';

/** What `--report` takes, for those who gave something else. */
export const REPORT_FILES =
  'an SNP report, a TD quote or an HCL report as it is, or evidence or a /verify body in JSON';

/**
 * The SNP report or TD quote that a file holds, recognised by its content.
 * @throws {UsageError} where there is none, or the file is malformed
 */
export function reportOf(input: NamedInput): NamedReport {
  const { name, bytes } = input;
  const [kind = null, ...others] = recogniseRaw(bytes);
  if (kind === null && isMeantAsJson(bytes)) {
    const evidence = readingInput(input, () => readInspectRequest(bytes));
    return {
      name,
      bytes:
        readingInput(input, () => (evidence.type === 'event-log' ? null : reportIn(evidence))) ??
        refuse(name, `evidence of type ${evidence.type}`),
    };
  }
  if (others.length > 0) return refuse(name, [kind, ...others].join(' as well as '));
  switch (kind) {
    case 'an SNP report':
    case 'a TD quote':
      return input;
    case 'an SNP extended report':
      return { name, bytes: bytes.subarray(0, SNP_REPORT_LENGTH) };
    case 'an HCL report':
      return {
        name,
        bytes: readingInput(input, () => snpReportIn(bytes)) ?? refuse(name, 'an HCL report without an SNP report'),
      };
    default:
      return refuse(name, kind ?? 'nothing that is recognised');
  }
}

/** The report of the TEE, which stands by itself or in the paravisor's report. */
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

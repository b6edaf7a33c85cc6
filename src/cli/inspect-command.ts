import type { JsonObject, JsonValue } from '../model/json.js';
import type { InspectEvidenceUseCase, RawInspections } from '../service/inspections.js';
import type { RequestLimits } from '../wire/read-body.js';
import { readInspectRequest } from '../wire/read-requests.js';
import { isMeantAsJson, type NamedInput, readingInput, UsageError } from './input.js';
import { EXIT_CODE, type Output, printable } from './output.js';

/** Room for the longest names of event types. */
const NAME_WIDTH = 32;

export interface Inspections {
  readonly evidence: InspectEvidenceUseCase;
  readonly raw: RawInspections;
  readonly limits: RequestLimits;
}

/**
 * Shows what a file says: evidence, a whole /verify body, or a single structure as it is, recognised by its content.
 * @returns the exit code
 * @throws {UsageError} where the file is malformed, or nothing that is understood
 */
export function inspectCommand(input: NamedInput, inspections: Inspections, output: Output): number {
  const inspection = readingInput(input, () => inspectionOf(input, inspections));
  output.write(output.asTable ? inspectionTable(inspection) : `${JSON.stringify(inspection, null, 2)}\n`);
  return EXIT_CODE.allow;
}

function inspectionOf(input: NamedInput, { evidence, raw, limits }: Inspections): JsonObject {
  const { name, bytes } = input;
  const [kind, ...others] = raw.recognise(bytes);
  if (kind === undefined && isMeantAsJson(bytes)) return evidence.execute(readInspectRequest(bytes, limits));
  if (kind === undefined) throw notUnderstood(input, raw);
  if (others.length > 0) {
    const kinds = [kind, ...others].join(' as well as ');
    throw new UsageError([`${name}: looks like ${kinds}, so it is read as neither`]);
  }
  return readingInput({ name: `${name}, read as ${kind}` }, () => raw.execute(bytes, kind));
}

function notUnderstood({ name, bytes }: NamedInput, raw: RawInspections): UsageError {
  const remark = raw.remark(bytes);
  if (remark !== null) return new UsageError([`${name}: ${remark}`]);
  return new UsageError([
    `${name}: nothing that is recognised`,
    `recognised are evidence and /verify bodies in JSON, ${raw.understood.join(', ')}`,
  ]);
}

function inspectionTable(inspection: JsonObject): string {
  const structures = (inspection['structures'] ?? []) as readonly JsonObject[];
  const takenFor = inspection['takenFor'];
  const lines = structures.flatMap((structure) => [
    '',
    headline(structure),
    ...((structure['fields'] ?? []) as readonly JsonObject[]).map(fieldLine),
  ]);
  return [
    ...(takenFor === undefined ? [] : [`read as ${text(takenFor)}`]),
    text(inspection['notice']),
    ...lines,
    '',
  ].join('\n');
}

/** A structure that lies in a file by itself is about no member. */
function headline({ name, about, length }: JsonObject): string {
  return `${text(name)}${about === '' ? ', ' : `  ${text(about)}, `}${text(length)} bytes`;
}

function fieldLine({ name, offset, value, meaning }: JsonObject): string {
  const place = typeof offset === 'number' ? `0x${offset.toString(16).padStart(3, '0')}` : '     ';
  return `  ${place}  ${text(name).padEnd(NAME_WIDTH)} ${text(value)}${meaning === null ? '' : `  (${text(meaning)})`}`;
}

function text(value: JsonValue | undefined): string {
  return printable(typeof value === 'string' ? value : JSON.stringify(value ?? null));
}

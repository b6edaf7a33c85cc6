import type { EventLogFile, StructureKind } from '../core/evidence.js';
import type { JsonObject } from '../core/json.js';
import type { RequestLimits } from '../wire/read-body.js';
import { readPcrsFile } from '../wire/read-pcrs-file.js';
import { readInspectRequest } from '../wire/read-requests.js';
import type { InspectEvidenceUseCase, RawInspections } from '../workbench/inspections.js';
import { eventLogLines } from './event-log-table.js';
import { isMeantAsJson, type NamedInput, readingInput, UsageError } from './input.js';
import { EXIT_CODE, type Output, shownValue } from './output.js';

export interface Inspections {
  readonly evidence: InspectEvidenceUseCase;
  readonly raw: RawInspections;
  readonly limits: RequestLimits;
}

/**
 * Shows the content of a file: evidence, a whole /verify body, or a single structure, recognised by its content.
 *
 * @param pcrs register values to compare an event log with; null if none were given
 * @returns the exit code
 * @throws {UsageError} if a file is malformed or unknown
 */
export function inspectCommand(
  input: NamedInput,
  pcrs: NamedInput | null,
  inspections: Inspections,
  output: Output,
): number {
  const values = pcrs === null ? null : readingInput(pcrs, () => readPcrsFile(pcrs.bytes, inspections.limits));
  const inspection = readingInput(input, () => inspectionOf(input, values, inspections));
  output.write(output.asTable ? inspectionTable(inspection) : `${JSON.stringify(inspection, null, 2)}\n`);
  return EXIT_CODE.allow;
}

function inspectionOf(input: NamedInput, pcrs: EventLogFile['pcrs'], inspections: Inspections): JsonObject {
  const { evidence, raw, limits } = inspections;
  const kind = kindOf(input, raw);
  if (kind === null) {
    const read = readInspectRequest(input.bytes, limits);
    if (pcrs === null) return evidence.execute(read);
    if (read.type === 'event-log') return evidence.execute({ ...read, pcrs });
    throw notAnEventLog(input, read.type === 'bytes' ? 'a body of type bytes' : `evidence of type ${read.type}`);
  }
  const name = raw.nameOf(kind);
  if (pcrs !== null && kind !== 'event-log') throw notAnEventLog(input, name);
  return readingInput({ name: `${input.name}, read as ${name}` }, () => raw.execute(input.bytes, kind, pcrs));
}

/**
 * Recognises a file by its content; null for evidence or a body in JSON.
 * @throws {UsageError} if the form is unknown or ambiguous
 */
export function kindOf(input: NamedInput, raw: RawInspections): StructureKind | null {
  const { name, bytes } = input;
  const [kind, ...others] = raw.recognise(bytes);
  if (kind === undefined && isMeantAsJson(bytes)) return null;
  if (kind === undefined) throw notUnderstood(input, raw);
  if (others.length === 0) return kind;
  const kinds = [kind, ...others].map(raw.nameOf).join(' as well as ');
  throw new UsageError([`${name}: looks like ${kinds}, so it is read as neither`]);
}

function notAnEventLog({ name }: NamedInput, kind: string): UsageError {
  return new UsageError([`--pcrs: only an event log is compared with values of registers, and ${name} is ${kind}`]);
}

function notUnderstood({ name, bytes }: NamedInput, raw: RawInspections): UsageError {
  const remark = raw.remark(bytes);
  if (remark !== null) return new UsageError([`${name}: ${remark}`]);
  return new UsageError([
    `${name}: nothing that is recognised`,
    `recognised are evidence and /verify bodies in JSON, ${raw.understood.map(raw.nameOf).join(', ')}`,
  ]);
}

function inspectionTable(inspection: JsonObject): string {
  const { takenFor, notice, type } = inspection as { takenFor?: string; notice?: string; type?: string };
  return [
    ...(takenFor === undefined ? [] : [`read as ${shownValue(takenFor)}`]),
    shownValue(notice),
    ...(type === 'event-log' ? eventLogLines(inspection) : structureLines(inspection)),
    '',
  ].join('\n');
}

/** Room for the longest names of event types. */
const NAME_WIDTH = 32;

/** The fields of each structure, one per line. */
function structureLines(inspection: JsonObject): readonly string[] {
  const structures = (inspection['structures'] ?? []) as readonly JsonObject[];
  return structures.flatMap((structure) => [
    '',
    headline(structure),
    ...((structure['fields'] ?? []) as readonly JsonObject[]).map(fieldLine),
  ]);
}

/** A structure in a separate file has no member name. */
function headline({ name, about, length }: JsonObject): string {
  return `${shownValue(name)}${about === '' ? ', ' : `  ${shownValue(about)}, `}${shownValue(length)} bytes`;
}

function fieldLine({ name, offset, value, meaning }: JsonObject): string {
  const place = typeof offset === 'number' ? `0x${offset.toString(16).padStart(3, '0')}` : '     ';
  const remark = meaning === null ? '' : `  (${shownValue(meaning)})`;
  return `  ${place}  ${shownValue(name).padEnd(NAME_WIDTH)} ${shownValue(value)}${remark}`;
}

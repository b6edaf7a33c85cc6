import type { JsonObject, JsonValue } from '../model/json.js';
import type { InspectEvidenceUseCase } from '../service/use-cases.js';
import { readInspectRequest } from '../wire/read-inspect-request.js';
import type { RequestLimits } from '../wire/request-limits.js';
import { EXIT_CODE } from './exit-code.js';
import type { Output } from './output.js';
import { printable } from './printable.js';

/** Room for the longest names of event types. */
const NAME_WIDTH = 32;

/**
 * Shows what evidence says. Takes the evidence, or a whole /verify body.
 * @returns the exit code
 * @throws {FormatError} where the evidence is malformed
 */
export function inspectCommand(
  file: Uint8Array,
  inspectEvidence: InspectEvidenceUseCase,
  output: Output,
  limits?: RequestLimits,
): number {
  const inspection = inspectEvidence.execute(readInspectRequest(file, limits));
  output.write(output.asTable ? inspectionTable(inspection) : `${JSON.stringify(inspection, null, 2)}\n`);
  return EXIT_CODE.allow;
}

function inspectionTable(inspection: JsonObject): string {
  const structures = (inspection['structures'] ?? []) as readonly JsonObject[];
  const lines = structures.flatMap((structure) => [
    '',
    `${text(structure['name'])}  ${text(structure['about'])}, ${text(structure['length'])} bytes`,
    ...((structure['fields'] ?? []) as readonly JsonObject[]).map(fieldLine),
  ]);
  return [text(inspection['notice']), ...lines, ''].join('\n');
}

function fieldLine({ name, offset, value, meaning }: JsonObject): string {
  const place = typeof offset === 'number' ? `0x${offset.toString(16).padStart(3, '0')}` : '     ';
  return `  ${place}  ${text(name).padEnd(NAME_WIDTH)} ${text(value)}${meaning === null ? '' : `  (${text(meaning)})`}`;
}

function text(value: JsonValue | undefined): string {
  return printable(typeof value === 'string' ? value : JSON.stringify(value ?? null));
}

import type { JsonObject } from '../model/json.js';
import { shownValue } from './output.js';

/** Room for the longest names of event types. */
const NAME_WIDTH = 32;

/** The fields of each structure, one a line. */
export function structureLines(inspection: JsonObject): readonly string[] {
  const structures = (inspection['structures'] ?? []) as readonly JsonObject[];
  return structures.flatMap((structure) => [
    '',
    headline(structure),
    ...((structure['fields'] ?? []) as readonly JsonObject[]).map(fieldLine),
  ]);
}

/** A structure that lies in a file by itself is about no member. */
function headline({ name, about, length }: JsonObject): string {
  return `${shownValue(name)}${about === '' ? ', ' : `  ${shownValue(about)}, `}${shownValue(length)} bytes`;
}

function fieldLine({ name, offset, value, meaning }: JsonObject): string {
  const place = typeof offset === 'number' ? `0x${offset.toString(16).padStart(3, '0')}` : '     ';
  const remark = meaning === null ? '' : `  (${shownValue(meaning)})`;
  return `  ${place}  ${shownValue(name).padEnd(NAME_WIDTH)} ${shownValue(value)}${remark}`;
}

import type { JsonObject } from '../core/json.js';
import { printable, shownValue } from './output.js';

const TYPE_WIDTH = 32;
const CODE_WIDTH = 20;
/** Characters in the table. The JSON has longer texts. */
const SHOWN_CHARACTERS = 96;

const BOOT_NAMES: { readonly [claim: string]: string } = {
  pk: 'PK',
  kek: 'KEK',
  db: 'db',
  dbx: 'dbx',
  mokList: 'MokList',
  applications: 'application',
  commandLines: 'command line',
  files: 'file',
};

/** Formats an event log as text: its faults, its facts about the boot, its replay, and its events. */
export function eventLogLines(inspection: JsonObject): readonly string[] {
  const problems = objectList(inspection['problems']);
  const events = objectList(inspection['events']);
  const count = inspection['eventCount'];
  const omitted = typeof count === 'number' && count > events.length ? `, the first ${events.length} are shown` : '';
  return [
    '',
    problems.length === 0 ? 'no problem was found' : `problems (${problems.length})`,
    ...problems.flatMap(problemLines),
    '',
    `format       ${shownValue(inspection['format'])}, ${shownValue(count)} events${omitted}`,
    `Secure Boot  ${SECURE_BOOT[`${inspection['secureBoot']}`]}`,
    ...bootLines((inspection['boot'] ?? {}) as JsonObject),
    '',
    ...replayLines((inspection['replayed'] ?? {}) as JsonObject),
    '',
    `  index  ${'type'.padEnd(TYPE_WIDTH)}  offset   covered  data`,
    ...events.map(eventLine),
  ];
}

const SECURE_BOOT: { readonly [state: string]: string } = {
  true: 'on',
  false: 'off',
  null: 'not known',
};

function objectList(value: JsonObject[string] | undefined): readonly JsonObject[] {
  return (value ?? []) as readonly JsonObject[];
}

function problemLines({ code, detail, bank, expected, actual }: JsonObject): readonly string[] {
  const where = bank === undefined ? '' : ` (${shownValue(bank)})`;
  return [
    `  ${shownValue(code).padEnd(CODE_WIDTH)}  ${shownValue(detail)}${where}`,
    ...(expected === undefined ? [] : [`  ${' '.repeat(CODE_WIDTH)}  expected ${shownValue(expected)}`]),
    ...(actual === undefined ? [] : [`  ${' '.repeat(CODE_WIDTH)}  actual   ${shownValue(actual)}`]),
  ];
}

function bootLines(boot: JsonObject): readonly string[] {
  return Object.entries(boot).flatMap(([claim, value]) => {
    const name = (BOOT_NAMES[claim] ?? claim).padEnd(12);
    if (value === null) return [];
    return (Array.isArray(value) ? value : [value]).map((one) => `${name} ${shownValue(one)}`);
  });
}

function replayLines(replayed: JsonObject): readonly string[] {
  return Object.entries(replayed).flatMap(([bank, values]) => [
    `replayed, ${bank}`,
    ...Object.entries(values as JsonObject).map(([index, value]) => `  ${index.padStart(5)}  ${shownValue(value)}`),
  ]);
}

function eventLine({ index, type, offset, covered, data }: JsonObject): string {
  const place = `0x${(offset as number).toString(16)}`.padEnd(7);
  const isCovered = (covered === true ? 'yes' : 'no').padEnd(7);
  return `  ${shownValue(index).padStart(5)}  ${shownValue(type).padEnd(TYPE_WIDTH)}  ${place}  ${isCovered}  ${shownData(data as JsonObject)}`;
}

/** A text, else the name of a variable, else the length. */
function shownData({ text, variable, length }: JsonObject): string {
  if (typeof text === 'string') {
    return printable(text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text);
  }
  return variable === undefined ? `${shownValue(length)} bytes` : shownValue((variable as JsonObject)['name']);
}

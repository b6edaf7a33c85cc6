import type { JsonObject } from '../core/json.js';
import type { RequestLimits } from '../wire/read-body.js';
import { readInspectRequest } from '../wire/read-requests.js';
import type { BootComparisons, RawInspections } from '../workbench/inspections.js';
import { type NamedInput, readingInput } from './input.js';
import { kindOf } from './inspect-command.js';
import { EXIT_CODE, type Output, printable, shownValue } from './output.js';

export interface Comparisons {
  readonly boots: BootComparisons;
  readonly raw: RawInspections;
  readonly limits: RequestLimits;
}

/** Characters in the table. The JSON has longer values. */
const SHOWN_CHARACTERS = 200;

/**
 * Shows the differences of two boots. Each file is an event log, a quote, report or token, evidence or a /verify body.
 *
 * @returns the exit code, which does not depend on the differences
 * @throws {UsageError} if a file is malformed, or the two have nothing in common
 */
export function compareCommand(
  before: NamedInput,
  after: NamedInput,
  comparisons: Comparisons,
  output: Output,
): number {
  const boots = [before, after].map((input) => readingInput(input, () => readBootFile(input, comparisons)));
  const [old, young] = boots as [Boot, Boot];
  const name = `${before.name} and ${after.name}`;
  const comparison = readingInput({ name }, () => comparisons.boots.execute(old, young));
  output.write(output.asTable ? comparisonTable(comparison) : `${JSON.stringify(comparison, null, 2)}\n`);
  return EXIT_CODE.allow;
}

type Boot = ReturnType<BootComparisons['read']>;

function readBootFile(input: NamedInput, { boots, raw, limits }: Comparisons): Boot {
  const kind = kindOf(input, raw);
  if (kind === null) return boots.read(readInspectRequest(input.bytes, limits));
  return readingInput({ name: `${input.name}, read as ${raw.nameOf(kind)}` }, () => boots.readRaw(input.bytes, kind));
}

function comparisonTable(comparison: JsonObject): string {
  const differences = (comparison['differences'] ?? []) as readonly JsonObject[];
  const moved = (comparison['movedPcrs'] ?? []) as readonly number[];
  const registerTitle = (index: number) => (comparison['registers'] === 'rtmr' ? `RTMR ${index - 1}` : `PCR ${index}`);
  const others = differences.filter(({ pcr }) => typeof pcr !== 'number' || !moved.includes(pcr));
  return [
    shownValue(comparison['notice']),
    `compared: ${((comparison['compared'] ?? []) as readonly string[]).map(printable).join(', ')}`,
    ...((comparison['notes'] ?? []) as readonly string[]).map(printable),
    '',
    ...moved.flatMap((index) => [
      `${registerTitle(index)} moved`,
      ...differences.filter(({ pcr }) => pcr === index).flatMap(differenceLines),
      '',
    ]),
    ...(others.length === 0 ? [] : ['besides', ...others.flatMap(differenceLines), '']),
    ...(differences.length + moved.length === 0 ? ['nothing differs', ''] : []),
  ].join('\n');
}

function differenceLines({ detail, before, after }: JsonObject): readonly string[] {
  return [
    `  ${shownValue(detail)}`,
    ...(before === null ? [] : [`    before  ${cut(shownValue(before))}`]),
    ...(after === null ? [] : [`    after   ${cut(shownValue(after))}`]),
  ];
}

function cut(text: string): string {
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}

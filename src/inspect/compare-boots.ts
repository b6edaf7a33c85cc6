import { checkedEvents } from '../boot/checked-event.js';
import type { EventBank, EventLog } from '../boot/format/measured-event.js';
import type { RegisterLayout } from '../boot/register-layout.js';
import { replay, startupLocalities } from '../boot/replay.js';
import { hex } from '../core/bytes.js';
import { groupedBy } from '../core/grouped.js';
import type { JsonValue } from '../core/json.js';
import { type BootFact, factsOf, type Signatures } from './boot-facts.js';
import { banksOf, preferred } from './log-reading.js';

/** Differences between two boots. Nothing of it is verified. */
export interface Difference {
  /** The kind of difference. */
  readonly about: string;
  /** Index of the changed register, as in the log; absent if no register changed. */
  readonly pcr?: number;
  /** Null if it was absent. */
  readonly before: JsonValue;
  /** Null if it is now absent. */
  readonly after: JsonValue;
  /** One sentence as message. */
  readonly detail: string;
}

export interface LogComparison {
  readonly differences: readonly Difference[];
  /** Indices of registers to which the logs replay differently, ascending. */
  readonly moved: readonly number[];
  /** Facts that cannot be compared. */
  readonly notes: readonly string[];
}

/** The event logs of one boot, in the order in which they extend registers. */
export type BootLogs = readonly EventLog[];

/** The preferred bank that all logs have; null if there is none. */
export function commonBank(logs: BootLogs): EventBank | null {
  const [first, ...others] = logs.map(banksOf);
  return preferred((first ?? []).filter((bank) => others.every((banks) => banks.includes(bank))));
}

/**
 * Compares the event logs of two boots by digests, which extend registers. Other data (addresses of
 * images, times) is ignored. Names come from the logs; if no digest covers one, the difference states it.
 */
export function compareBootLogs(
  before: BootLogs,
  after: BootLogs,
  bank: EventBank,
  layout: RegisterLayout,
): LogComparison {
  const [old, young] = [readBoot(before, bank, layout), readBoot(after, bank, layout)];
  const moved = layout.indices.filter((index) => old.values.get(index) !== young.values.get(index));
  const differences = layout.indices.flatMap((index) =>
    registerDifferences(old.facts(index), young.facts(index), { index, name: layout.name(index) }),
  );
  return {
    differences: [...localityDifference(old.locality, young.locality), ...differences],
    moved,
    notes: [...faultNote('before', old.fault), ...faultNote('after', young.fault)],
  };
}

function readBoot(logs: BootLogs, bank: EventBank, layout: RegisterLayout) {
  const events = logs.flatMap((log) => log.events);
  const judged = checkedEvents(events, bank);
  const { values, fault } = replay(events, bank, layout);
  return {
    facts: (index: number) => factsOf(judged.get(index) ?? [], index, layout),
    values: new Map([...values].map(([index, value]) => [index, hex(value)])),
    locality: startupLocalities(events)[0] ?? null,
    fault: fault?.detail ?? null,
  };
}

function faultNote(which: string, fault: string | null): readonly string[] {
  return fault === null ? [] : [`${which}: ${fault}, so that not every register that moved is known`];
}

function localityDifference(before: number | null, after: number | null): readonly Difference[] {
  if (before === after) return [];
  const detail = `the startup locality was ${before ?? 'not logged'}, and is ${after ?? 'not logged'}`;
  return [{ about: 'startupLocality', pcr: 0, before, after, detail }];
}

interface Register {
  readonly index: number;
  readonly name: string;
}

function registerDifferences(
  before: readonly BootFact[],
  after: readonly BootFact[],
  { index, name }: Register,
): readonly Difference[] {
  const removed = without(before, after);
  const added = without(after, before);
  if (removed.length + added.length > 0) {
    return distinct(pairs(removed, added).map((pair) => ({ ...differenceOf(pair), pcr: index })));
  }
  if (before.every(({ digest }, position) => digest === after[position]?.digest)) return [];
  const detail = `${name} was extended by the same events in another order`;
  return [{ about: 'order', pcr: index, before: null, after: null, detail }];
}

/** Facts of the first list whose digests the second has fewer of. */
function without(facts: readonly BootFact[], others: readonly BootFact[]): readonly BootFact[] {
  return rest(facts, others, ({ digest }) => digest);
}

interface Pair {
  readonly before: BootFact | null;
  readonly after: BootFact | null;
}

/** Pairs facts of one name as changes, in their order; the others were added or removed. */
function pairs(removed: readonly BootFact[], added: readonly BootFact[]): readonly Pair[] {
  const waiting = groupedBy(added, factName);
  const changed = removed.map((before) => ({ before, after: waiting.get(factName(before))?.shift() ?? null }));
  const came = [...waiting.values()].flat().map((after) => ({ before: null, after }));
  return [...changed, ...came];
}

function factName({ about, name }: BootFact): string {
  return `${about} ${name}`;
}

/** GRUB measures one command line twice: as a command and as the resulting command line. */
function distinct(differences: readonly Difference[]): readonly Difference[] {
  return [...new Map(differences.map((difference) => [JSON.stringify(difference), difference])).values()];
}

function differenceOf({ before, after }: Pair): Difference {
  const [about, name] = [(after ?? before)?.about ?? '', (after ?? before)?.name ?? ''];
  const isNameUncovered = before?.isNameUncovered === true || after?.isNameUncovered === true;
  const remark = isNameUncovered ? ' (no digest covers the name)' : '';
  const [old, young] = [before?.value ?? null, after?.value ?? null];
  return { about, before: old, after: young, detail: `${changeOf({ before, after }, name)}${remark}` };
}

function changeOf({ before, after }: Pair, name: string): string {
  if (before === null) return `${name} was added`;
  if (after === null) return `${name} is no longer there`;
  return `${name} changed${howChanged(before, after)}`;
}

function howChanged(before: BootFact, after: BootFact): string {
  if (before.about === 'secureBoot') return `: ${onOrOff(before.value)} before, ${onOrOff(after.value)} after`;
  if (before.about === 'commandLine') return words(before.value, after.value);
  const [old, young] = [before.signatures, after.signatures];
  if (old !== null && young !== null) return signatures(old, young);
  return '';
}

function onOrOff(value: JsonValue): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return value === '' ? 'empty' : `0x${value}`;
}

function words(before: JsonValue, after: JsonValue): string {
  const [old, young] = [before, after].map((text) => String(text).split(/\s+/)) as [string[], string[]];
  const [gone, come] = [rest(old, young, itself), rest(young, old, itself)];
  return [
    ...(come.length === 0 ? [] : [`; added: ${come.join(' ')}`]),
    ...(gone.length === 0 ? [] : [`; removed: ${gone.join(' ')}`]),
    ...(come.length + gone.length === 0 ? ['; the same words in another order or spacing'] : []),
  ].join('');
}

function signatures(before: Signatures, after: Signatures): string {
  const [come, gone] = [rest(after.entries, before.entries, itself), rest(before.entries, after.entries, itself)];
  return `: ${sizeOf(before)} before, ${sizeOf(after)} after; ${come.length} added, ${gone.length} removed`;
}

function sizeOf({ bytes, entries: { length } }: Signatures): string {
  return `${bytes} bytes with ${length} ${length === 1 ? 'entry' : 'entries'}`;
}

/** Entries that are more frequent in the first list than in the second. */
function rest<T>(list: readonly T[], others: readonly T[], keyOf: (entry: T) => string): readonly T[] {
  const left = new Map<string, number>();
  for (const key of others.map(keyOf)) left.set(key, (left.get(key) ?? 0) + 1);
  return list.filter((entry) => {
    const key = keyOf(entry);
    const count = left.get(key) ?? 0;
    left.set(key, count - 1);
    return count <= 0;
  });
}

function itself(text: string): string {
  return text;
}
